"""The official quarterly NCCI files: read, checked, and kept in the installation's data folder.

`importing` takes files and replaces a stored table; `store` answers from it. The tables that come with VisitCue
lie in `mappings/books` and are read without this package.
"""
