"""The JSON Schemas of the description: cards from the structs that are written, requests from the services.

FHIR resources are described by their type alone; what of them is read is in FINDINGS.md and the prefetch templates.
"""

from typing import Any

import msgspec

from cds_hooks.cards import Card
from cds_hooks.feedback import MOST_ENTRIES, OUTCOMES
from cds_hooks.service import Service

Schema = dict[str, Any]

AT = "#/components/schemas/"
TEXT: Schema = {"type": "string"}
UUID: Schema = {"type": "string", "format": "uuid"}
LEVELS = ["info", "warning", "critical"]
MOST_OF_A_SUMMARY = 139
"""Characters: a summary has fewer than 140."""


def ref(name: str) -> Schema:
    """A reference to the schema of this name."""
    return {"$ref": AT + name}


def listed(items: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": items}


def an_object(required: list[str], properties: Schema, **more: Any) -> Schema:
    """An object that may hold more than is named: extensions are allowed everywhere in CDS Hooks."""
    return {"type": "object", "required": required, "properties": properties, **more}


def resource(kind: str = "") -> Schema:
    """A FHIR R4 resource of this type, or of any."""
    return an_object(["resourceType"], {"resourceType": {"const": kind} if kind else TEXT})


def request_of(service: Service) -> Schema:
    """The request of a service: its hook, its context and its prefetch keys."""
    hook = service.hook
    context: Schema = {"userId": TEXT, "patientId": TEXT, "encounterId": TEXT}
    if hook.resource:
        context[hook.resource] = ref("Resource")
    prefetch = {key: {"type": ["object", "null"], "description": part.why} for key, part in service.prefetch.items()}
    return an_object(
        ["hook", "hookInstance", "context"],
        {
            "hook": {"enum": list(hook.names)},
            "hookInstance": UUID,
            "context": an_object(list(hook.required), context),
            "prefetch": {"type": "object", "properties": prefetch},
            "fhirServer": {"type": "string", "format": "uri"},
            "fhirAuthorization": ref("FhirAuthorization"),
        },
        description=service.description,
    )


def schemas(services: list[Service]) -> Schema:
    """Every schema by its name."""
    _, cards = msgspec.json.schema_components([Card], ref_template=AT + "{name}")
    card = cards["Card"]["properties"]
    card["uuid"] |= UUID
    card["summary"] |= {"maxLength": MOST_OF_A_SUMMARY}
    card["indicator"] |= {"enum": LEVELS}
    return {**cards, **_OTHERS, **{request_name(one): request_of(one) for one in services}}


def request_name(service: Service) -> str:
    """The name of the schema of a service's request."""
    return f"Request-{service.id}"


_OTHERS: Schema = {
    "Cards": an_object(["cards"], {"cards": listed(ref("Card"))}),
    "Resource": resource(),
    "Questionnaire": resource("Questionnaire"),
    "FhirAuthorization": an_object(
        ["access_token"], {"access_token": TEXT, "token_type": {"const": "Bearer"}, "scope": TEXT, "subject": TEXT}
    ),
    "Discovery": an_object(["services"], {"services": listed(ref("Service"))}),
    "Service": an_object(
        ["hook", "id", "description"],
        {
            "hook": TEXT,
            "id": TEXT,
            "title": TEXT,
            "description": TEXT,
            "usageRequirements": TEXT,
            "prefetch": {"type": "object", "additionalProperties": TEXT},
        },
    ),
    "Feedback": an_object(
        ["feedback"],
        {
            "feedback": {
                **listed(
                    an_object(
                        ["card", "outcome", "outcomeTimestamp"],
                        {
                            "card": UUID,
                            "outcome": {"enum": list(OUTCOMES)},
                            "outcomeTimestamp": {"type": "string", "format": "date-time"},
                            "acceptedSuggestions": listed(an_object(["id"], {"id": UUID})),
                            "overrideReason": an_object(
                                [],
                                {
                                    "reason": an_object(["code"], {"code": TEXT, "system": TEXT}),
                                    "userComment": {**TEXT, "description": "Not kept: a patient may be named in it."},
                                },
                            ),
                        },
                    )
                ),
                "maxItems": MOST_ENTRIES,
            }
        },
    ),
    "OperationOutcome": an_object(
        ["resourceType", "issue"],
        {
            "resourceType": {"const": "OperationOutcome"},
            "issue": {
                **listed(
                    an_object(
                        ["severity", "code", "diagnostics"],
                        {
                            "severity": {"const": "error"},
                            "code": {**TEXT, "description": "A code of FHIR's issue-type value set."},
                            "diagnostics": TEXT,
                            "expression": {**listed(TEXT), "description": "The JSON path of what is wrong."},
                        },
                    )
                ),
                "minItems": 1,
            },
        },
    ),
    "Health": an_object(
        ["status"],
        {
            "status": {"enum": ["ok", "failed"]},
            "checks": {"type": "object", "additionalProperties": {"enum": ["ok", "failed"]}},
        },
    ),
}
