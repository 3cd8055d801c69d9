"""Refusals: everything that is answered with a 4xx or 5xx carries a FHIR OperationOutcome.

Refusal                 any answer that is not 200
  (status 400)          the request is not JSON, or breaks CDS Hooks or FHIR
  (status 404, 405)     no such service, or it is not called by this method
  (status 408)          the body did not arrive in time
  (status 412)          data that the service needs is neither in prefetch nor reachable
  (status 413, 415)     the body is too large, or is not plain JSON by what its headers say
  (status 422)          the request is sound and contradicts itself: its draft is not about its context
  (status 503)          the service has too much to do; the Retry-After header says when to come again

The codes are those of the value set http://hl7.org/fhir/ValueSet/issue-type (R4).
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(\w+)`$")
_KINDS = {
    " | null": "",
    "`int | float`": "a number",
    "`int`": "a whole number",
    "`float`": "a number",
    "`str`": "a string",
    "`bool`": "true or false",
    "`array`": "a list",
    "`object`": "an object",
    "`null`": "null",
}
"""The decoder's words for types, and ours; in this order, for some hold others."""

_CODES = {
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    408: "timeout",
    413: "too-long",
    414: "too-long",
    415: "not-supported",
    422: "business-rule",
    429: "throttled",
    431: "too-long",
    501: "not-supported",
    503: "transient",
    504: "timeout",
}
_UNPRINTABLE = re.compile(r"[^\S\n ]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST = 2000
"""Characters of a sentence or a path; more is nobody's help, and may be made of what was sent."""


def code_of_status(status: int) -> str:
    """The issue type for an HTTP status of which nothing more is known."""
    return _CODES.get(status, "invalid" if status < 500 else "exception")


class Issue(msgspec.Struct, frozen=True):
    """One thing that is wrong: a code of the FHIR issue-type value set, a sentence, and the JSON path."""

    code: str
    diagnostics: str
    path: str = ""


class Refusal(Exception):
    """The request cannot be answered; carries the HTTP status, the issues to report, and headers that go with them."""

    def __init__(self, status: int, *issues: Issue, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.status = status
        self.issues = issues
        self.headers = headers


def bad_request(path: str, diagnostics: str, code: str = "invalid") -> Refusal:
    """A 400 about one place in the request."""
    where = f"{path}: " if path else ""
    return Refusal(400, Issue(code, f"{where}{diagnostics}", path))


def contradiction(path: str, diagnostics: str) -> Refusal:
    """A 422: one place in the request is sound FHIR, and is at odds with another."""
    return Refusal(422, Issue("business-rule", f"{path}: {diagnostics}", path))


def not_as_expected(error: msgspec.ValidationError, prefix: str = "") -> Refusal:
    """A 400 from a decoder's complaint, told as a JSON path and what was expected there."""
    found = _AT.match(str(error))
    below = (found["path"] or "$")[1:] if found else ""
    what = found["what"] if found else str(error)
    missing = _MISSING.match(what)
    if missing:
        below, what = f"{below}.{missing[1]}", "it is required, and is not there"
    for name, words in _KINDS.items():
        what = what.replace(name, words)
    path = prefix + below if prefix else below.lstrip(".")
    return bad_request(path, f"{what[:1].lower()}{what[1:]}.", "required" if missing else "structure")


def operation_outcome(issues: tuple[Issue, ...]) -> dict[str, object]:
    """The OperationOutcome resource for these issues."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": issue.code,
                "diagnostics": _text(issue.diagnostics),
                **({"expression": [_text(issue.path)]} if issue.path else {}),
            }
            for issue in issues
        ],
    }


def _text(words: str) -> str:
    """Words as a FHIR string: without control characters, and not too long."""
    return _UNPRINTABLE.sub(" ", words[:_LONGEST])
