"""The description of the web service as OpenAPI 3.1, made from the services at start so that it cannot get stale."""

import functools
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from cds_hooks.service import Service
from plugin.openapi_schemas import Schema, ref, request_name, schemas

JSON, FHIR_JSON, HTML, PROMETHEUS = "application/json", "application/fhir+json", "text/html", "text/plain"

REFUSED = {
    400: "The request is not JSON, or breaks CDS Hooks or FHIR; the issue names the JSON path.",
    401: "A token is asked for, and none that is valid was sent.",
    403: "The caller is known, and this is not for it.",
    404: "There is nothing here.",
    408: "The body did not arrive in time.",
    412: "Data that the service needs came neither by prefetch nor could it be read from fhirServer.",
    413: "The body is larger than this installation reads.",
    415: "The body is not JSON by its Content-Type.",
    422: "The request is sound, and contradicts itself: a Claim for another patient than context.patientId.",
    500: "VisitCue failed; its log says where, under the request's id.",
    503: "It cannot be done now; the same request may be sent again later.",
}
"""Every status of a refusal, and what it means. Each carries an OperationOutcome."""

CLIENT_TOKEN: list[dict[str, list[str]]] = [{}, {"client": []}]
METRICS_TOKEN: list[dict[str, list[str]]] = [{}, {"metrics": []}]

_EXAMPLES = Path(__file__).parent / "openapi_examples.json"


def described(services: list[Service]) -> bytes:
    """The description of these services, as JSON."""
    return msgspec.json.encode(description(services))


def description(services: list[Service]) -> Schema:
    """The description of these services and of everything beside them."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "VisitCue",
            "version": version("visitcue"),
            "summary": "Reviews therapy and chiropractic visits before the claim goes out, over CDS Hooks.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": "cds-hooks"}, {"name": "operations"}],
        "paths": _paths(services),
        "components": {
            "schemas": schemas(services),
            "headers": {
                "RequestId": {
                    "description": "By which the log names this request.",
                    "schema": {"type": "string", "format": "uuid"},
                    "required": True,
                }
            },
            "parameters": {
                "RequestId": {
                    "name": "X-Request-ID",
                    "in": "header",
                    "description": "A UUID by which caller and log speak of this request; any other form is replaced.",
                    "schema": {"type": "string", "format": "uuid"},
                }
            },
            "securitySchemes": {
                "client": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The CDS client's signed token, where the installation asks for one.",
                },
                "metrics": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "VISITCUE_METRICS_TOKEN; without that setting metrics are for the machine itself.",
                },
            },
        },
    }


def _paths(services: list[Service]) -> Schema:
    found = {
        "/": {"get": _operation("overview", "A page for people.", {200: _body("The page.", HTML, {"type": "string"})})},
        "/cds-services": {
            "get": _operation(
                "discovery",
                "The services and their prefetch.",
                {200: _json("The services.", "Discovery")},
                "cds-hooks",
                refused=(401, 403, 503),
            )
        },
        "/fhir/Questionnaire/visit-documentation": {
            "get": _operation(
                "questionnaire",
                "The form that cards offer for missing documentation.",
                {200: _body("The form.", FHIR_JSON, ref("Questionnaire"))},
                "cds-hooks",
            )
        },
        "/health/live": {"get": _operation("live", "Whether the process answers.", {200: _json("It does.", "Health")})},
        "/health/ready": {
            "get": _operation(
                "ready",
                "Whether everything that an answer needs is there.",
                {200: _json("It is.", "Health"), 503: _json("Something is not; the checks say what.", "Health")},
            )
        },
        "/metrics": {
            "get": {
                **_operation(
                    "metrics",
                    "Counts and times, for Prometheus.",
                    {200: _body("Prometheus' text format.", PROMETHEUS, {"type": "string"})},
                    refused=(401, 403),
                ),
                "security": METRICS_TOKEN,
            }
        },
        "/openapi.json": {
            "get": _operation("openapi", "This description.", {200: _body("OpenAPI 3.1.", JSON, {"type": "object"})})
        },
    }
    for one in services:
        found[f"/cds-services/{one.id}"] = {"post": _service(one)}
        found[f"/cds-services/{one.id}/feedback"] = {"post": _feedback(one)}
    return found


def _service(service: Service) -> Schema:
    examples = {name: {"value": value} for name, value in _examples().get(service.id, {}).items()}
    body = {"schema": ref(request_name(service)), **({"examples": examples} if examples else {})}
    operation = _operation(
        service.id,
        service.title,
        {200: _json("The cards; none where nothing was found.", "Cards")},
        "cds-hooks",
        refused=(400, 401, 403, 408, 412, 413, 415, 422, 503),
    )
    return {
        **operation,
        "description": f"{service.description} {service.usage_requirements}",
        "security": CLIENT_TOKEN,
        "requestBody": {"required": True, "content": {JSON: body}},
    }


def _feedback(service: Service) -> Schema:
    return {
        **_operation(
            f"{service.id}-feedback",
            f"What became of the cards of {service.id}.",
            {200: _body("It is stored.", JSON, {"type": "object"})},
            "cds-hooks",
            refused=(400, 401, 403, 408, 413, 415, 503),
        ),
        "security": CLIENT_TOKEN,
        "requestBody": {"required": True, "content": {JSON: {"schema": ref("Feedback")}}},
    }


def _operation(
    name: str, summary: str, answers: dict[int, Schema], tag: str = "operations", refused: tuple[int, ...] = ()
) -> Schema:
    refusals = {status: _body(REFUSED[status], FHIR_JSON, ref("OperationOutcome")) for status in (*refused, 500)}
    return {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "parameters": [{"$ref": "#/components/parameters/RequestId"}],
        "responses": {str(status): answer for status, answer in (answers | refusals).items()},
    }


def _json(words: str, schema: str) -> Schema:
    return _body(words, JSON, ref(schema))


def _body(words: str, media_type: str, schema: Schema) -> Schema:
    return {
        "description": words,
        "headers": {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}},
        "content": {media_type: {"schema": schema}},
    }


@functools.cache
def _examples() -> dict[str, dict[str, Any]]:
    """Requests by service and name, taken over from the folder `examples` of the project."""
    found: dict[str, dict[str, Any]] = json.loads(_EXAMPLES.read_bytes())
    return found
