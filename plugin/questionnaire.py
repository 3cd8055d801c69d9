"""The documentation form as a FHIR Questionnaire: one item an element, its linkId the element's id."""

from typing import Any

from mappings import books_in_force
from plugin.fixes import FORM

_TYPES = {"text": "text", "minutes": "integer", "number": "decimal", "yes-no": "boolean"}


def documentation_form() -> dict[str, Any]:
    """The Questionnaire that the forms offered by cards answer."""
    return {
        "resourceType": "Questionnaire",
        "id": "visit-documentation",
        "url": FORM,
        "name": "VisitDocumentation",
        "title": "Documentation of a therapy or manipulation visit",
        "status": "active",
        "subjectType": ["Patient"],
        "item": [
            {"linkId": one.id, "text": one.ask, "type": _TYPES[one.answer]}
            for one in books_in_force.questions().values()
        ],
    }
