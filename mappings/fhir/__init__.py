"""From FHIR JSON to visit facts, entry by entry: what cannot be read is a Gap, never an exception."""
