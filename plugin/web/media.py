"""The media types that are spoken here."""

JSON = "application/json"
FHIR_JSON = "application/fhir+json"
