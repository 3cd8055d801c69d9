"""Refusals: everything that is answered with a 4xx or 5xx carries a FHIR OperationOutcome.

Refusal                 any answer that is not 200
  (status 400)          the request is not JSON, or breaks CDS Hooks or FHIR
  (status 404)          no such service
  (status 412)          data that the service needs is neither in prefetch nor reachable
  (status 413, 415)     the body is too large, or is not JSON by its content type
"""

import re

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


class Issue(msgspec.Struct, frozen=True):
    """One thing that is wrong: a code of the FHIR issue-type value set, a sentence, and the JSON path."""

    code: str
    diagnostics: str
    path: str = ""


class Refusal(Exception):
    """The request cannot be answered; carries the HTTP status and the issues to report."""

    def __init__(self, status: int, *issues: Issue) -> None:
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.status = status
        self.issues = issues


def bad_request(path: str, diagnostics: str, code: str = "invalid") -> Refusal:
    """A 400 about one place in the request."""
    where = f"{path}: " if path else ""
    return Refusal(400, Issue(code, f"{where}{diagnostics}", path))


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
                "diagnostics": issue.diagnostics,
                **({"expression": [issue.path]} if issue.path else {}),
            }
            for issue in issues
        ],
    }
