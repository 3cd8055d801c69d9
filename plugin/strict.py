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
