"""Strict validation by `fhir.resources` (R4B): for the `validate` command and for what we publish ourselves.

It is thorough and slow, and stands nowhere in the way of a request.
"""

from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError


def faults(resource: Any) -> list[str]:
    """What is wrong with a FHIR R4 resource, a sentence each with its path; empty where it is valid."""
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        return ["expected a FHIR resource: a JSON object with a resourceType."]
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}." for one in error.errors()]
    except (LookupError, ValueError, ImportError):
        return [f"resourceType: {resource['resourceType']!r} is no type of FHIR R4 resource."]
    return []


def faults_of_document(document: Any) -> list[str]:
    """The same of a hook request: of every resource in its context and prefetch, with the path of each."""
    if not isinstance(document, dict) or "hook" not in document:
        return faults(document)
    found: list[str] = []
    for part in ("context", "prefetch"):
        values = document.get(part)
        for key, value in values.items() if isinstance(values, dict) else ():
            if isinstance(value, dict):
                found.extend(f"{part}.{key}: {fault}" for fault in faults(value))
    return found
