"""Whatever is sent, as described or not, is answered as described: by schemathesis, the same in every run."""

from typing import Any

import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from plugin.web.app import create_app

SCHEMA = schemathesis.openapi.from_wsgi(
    "/openapi.json",
    create_app(),
    config=schemathesis.Config.from_dict(
        {
            "seed": 20260302,
            "generation": {"mode": "all", "max-examples": 200, "deterministic": True, "database": "none"},
            "phases": {"stateful": {"enabled": False}, "fuzzing": {"operation-ordering": "none"}},
        }
    ),
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@SCHEMA.parametrize()
def test_answers_as_described(case: schemathesis.Case[Any]) -> None:
    """An operation answers with a status, a media type, headers and a body that its description has."""
    case.call_and_validate(checks=CHECKS)
