"""Whatever is sent, as described or not, is answered as described: by schemathesis, the same in every run."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from plugin.settings import Settings
from plugin.web.app import create_app

APP = create_app(Settings(insecure=True, metrics_token=None))
HERE = {"REMOTE_ADDR": "127.0.0.1"}
"""Where the calls come from; schemathesis names no address, and /metrics answers nobody who has none."""


def from_here(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    return APP({**environ, **HERE}, start_response)


SCHEMA = schemathesis.openapi.from_wsgi(
    "/openapi.json",
    from_here,
    config=schemathesis.Config.from_dict(
        {
            "seed": 20260302,
            "generation": {"mode": "all", "max-examples": 50, "deterministic": True, "database": "none"},
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

Statuses = defaultdict[str, set[int]]


@pytest.fixture(scope="module")
def statuses() -> Iterator[Statuses]:
    """The statuses of each operation, among which has to be a success: refusals alone are described by anything."""
    found: Statuses = defaultdict(set)
    yield found
    assert found
    assert [name for name, seen in found.items() if not any(200 <= one < 300 for one in seen)] == []


@SCHEMA.parametrize()
def test_answers_as_described(case: schemathesis.Case[Any], statuses: Statuses) -> None:
    """An operation answers with a status, a media type, headers and a body that its description has."""
    answer = case.call_and_validate(checks=CHECKS)
    if case.method == case.operation.method.upper():  # others are tried as well, and anybody may ask for OPTIONS
        statuses[case.operation.label].add(answer.status_code)
