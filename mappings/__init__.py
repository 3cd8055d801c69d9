"""What VisitCue knows of the outside world: FHIR shapes, code tables, payers, manuals.

Rule of this room: it turns FHIR into plain visit facts and files into rule books, and judges nothing.
It imports neither `plugin` nor `cds_hooks`, reads no clock and no environment, and opens no connection.
"""
