"""Every status, and the OperationOutcome that comes with it."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug import exceptions
from werkzeug.test import TestResponse

from cds_hooks.outcome import Issue, Refusal, operation_outcome
from plugin import strict
from plugin.settings import Settings
from plugin.web import errors, request_log
from plugin.web.app import create_app
from plugin.web.body import NOT_RECEIVED
from tests.builders import CLAIM_SUBMIT, DISCHARGE, Json, changed, discharge_request, ref, text
from tests.exchange import expressions, outcome
from tests.visits import chiro

# http://hl7.org/fhir/R4/valueset-issue-type.html
ISSUE_TYPES = {
    "invalid", "structure", "required", "value", "invariant",
    "security", "login", "unknown", "expired", "forbidden", "suppressed",
    "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long",
    "code-invalid", "extension", "too-costly", "business-rule", "conflict",
    "transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled",
    "informational",
}  # fmt: skip
CLAIM = chiro("59", "GP")
SECRET = "Zebedee Quixworth"
SERVICE = f"/cds-services/{CLAIM_SUBMIT}"
JSON_TYPE = {"Content-Type": "application/json"}


def issue_of(answer: TestResponse) -> Json:
    """The issue of a refusal: valid FHIR, of a known type, and without words of the caller or the server."""
    told = outcome(answer)
    assert strict.faults(told) == []
    for word in (SECRET, "Traceback", ".py", "werkzeug", "flask", "test-patient"):
        assert word not in answer.get_data(as_text=True)
    found: Json = told["issue"][0]
    assert {one["code"] for one in told["issue"]} <= ISSUE_TYPES
    return found


CASES: list[tuple[str, str, str, dict[str, str], bytes, int, str]] = [
    ("not JSON", "POST", SERVICE, JSON_TYPE, SECRET.encode(), 400, "structure"),
    ("no hook", "POST", SERVICE, JSON_TYPE, b"{}", 400, "required"),
    ("hook of another service", "POST", SERVICE, JSON_TYPE, text({**CLAIM, "hook": "order-sign"}), 400, "value"),
    ("no such service", "POST", f"/cds-services/{SECRET}", JSON_TYPE, text(CLAIM), 404, "not-found"),
    ("no such address", "GET", f"/{SECRET}", {}, b"", 404, "not-found"),
    ("a slash too many", "POST", f"/{SERVICE}", JSON_TYPE, text(CLAIM), 404, "not-found"),
    ("a slash at the end", "POST", f"{SERVICE}/", JSON_TYPE, text(CLAIM), 404, "not-found"),
    ("a service read", "GET", SERVICE, {}, b"", 405, "not-supported"),
    ("a service put", "PUT", SERVICE, JSON_TYPE, text(CLAIM), 405, "not-supported"),
    ("a service patched", "PATCH", SERVICE, JSON_TYPE, text(CLAIM), 405, "not-supported"),
    ("a service deleted", "DELETE", SERVICE, {}, b"", 405, "not-supported"),
    ("a method of nobody", "QUIXWORTH", SERVICE, {}, b"", 405, "not-supported"),
    ("discovery posted", "POST", "/cds-services", JSON_TYPE, b"{}", 405, "not-supported"),
    ("too large", "POST", SERVICE, JSON_TYPE, b" " * 8_000_001, 413, "too-long"),
    ("plain text", "POST", SERVICE, {"Content-Type": "text/plain"}, text(CLAIM), 415, "not-supported"),
    ("XML", "POST", SERVICE, {"Content-Type": "application/fhir+xml"}, b"<Claim/>", 415, "not-supported"),
    ("two types", "POST", SERVICE, {"Content-Type": "application/json,text/xml"}, text(CLAIM), 415, "not-supported"),
    ("another charset", "POST", SERVICE, {"Content-Type": "application/json; charset=utf-16"}, text(CLAIM), 415,
     "not-supported"),
    ("gzip", "POST", SERVICE, {**JSON_TYPE, "Content-Encoding": "gzip"}, b"\x1f\x8b", 415, "not-supported"),
    ("two encodings", "POST", SERVICE, {**JSON_TYPE, "Content-Encoding": "identity, br"}, text(CLAIM), 415,
     "not-supported"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "method", "path", "headers", "body", "status", "code"), CASES, ids=[one[0] for one in CASES]
)
def test_status(
    client: FlaskClient, name: str, method: str, path: str, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    """Each refusal has its status, and an OperationOutcome whose issue type fits it."""
    answer = client.open(path, method=method, headers=headers, data=body)
    assert (answer.status_code, issue_of(answer)["code"]) == (status, code), name


TAKEN = [
    {},
    {"Content-Type": "application/json"},
    {"Content-Type": "APPLICATION/JSON; Charset=UTF-8"},
    {"Content-Type": 'application/json; charset="utf-8"'},
    {"Content-Type": "application/json; fhirVersion=4.0"},
    {"Content-Type": "application/fhir+json"},
    {"Content-Type": "application/json", "Content-Encoding": "identity"},
    {"Content-Type": "application/json", "Accept": "text/html"},
    {"Content-Type": "application/json", "Accept-Encoding": "gzip, br"},
]


@pytest.mark.parametrize("headers", TAKEN, ids=[str(one) for one in TAKEN])
def test_taken(client: FlaskClient, headers: dict[str, str]) -> None:
    """JSON in UTF-8 is answered under each of the names that it has, whatever the client would like to have back."""
    answer = client.open(SERVICE, method="POST", headers=headers, data=text(CLAIM))
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "application/json", b'{"cards":[]}')


@pytest.mark.parametrize(
    ("path", "allowed"), [(SERVICE, {"POST", "OPTIONS"}), ("/cds-services", {"GET", "HEAD", "OPTIONS"})]
)
def test_allow(client: FlaskClient, path: str, allowed: set[str]) -> None:
    """A 405 says which methods there are."""
    answer = client.delete(path)
    assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, allowed)


def test_head(client: FlaskClient) -> None:
    """HEAD is answered as GET is, without the body; a service has no GET, and so no HEAD."""
    assert client.head("/cds-services").headers["Content-Length"] == str(len(client.get("/cds-services").data))
    assert client.head(SERVICE).status_code == 405


def test_encoding_that_is_taken(client: FlaskClient) -> None:
    """A refused Content-Encoding comes back with the one that is taken (RFC 9110, section 12.5.3)."""
    answer = client.post(SERVICE, data=b"", headers={**JSON_TYPE, "Content-Encoding": "br"})
    assert answer.headers["Accept-Encoding"] == "identity"


def test_another_patients_claim(client: FlaskClient) -> None:
    """A sound Claim for another patient than the context's is a 422: it keeps every rule but the one of this hook."""
    body = changed(CLAIM, "context", "claim", "patient", to=ref("Patient", "somebody-else"))
    answer = client.post(SERVICE, json=body)
    assert (answer.status_code, issue_of(answer)["code"]) == (422, "business-rule")
    assert expressions(answer) == ["context.claim.patient"]


def test_missing_data(client: FlaskClient) -> None:
    """Data that is needed and not there is a 412."""
    body = discharge_request()
    del body["prefetch"]["procedures"]
    answer = client.post(f"/cds-services/{DISCHARGE}", json=body)
    assert (answer.status_code, issue_of(answer)["code"]) == (412, "required")


@pytest.mark.parametrize("size", [99, 100, 101])
def test_limit(size: int) -> None:
    """The limit is the last size that is read; beyond it the status is 413 whether or not the length is told."""
    small = create_app(Settings(max_body_bytes=100)).test_client()
    expected = 413 if size > 100 else 400
    assert small.post(SERVICE, data=b" " * size, headers=JSON_TYPE).status_code == expected
    no_length = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    answer = small.post(SERVICE, data=b" " * size, headers=JSON_TYPE, environ_overrides=no_length)
    assert answer.status_code == expected


@pytest.mark.parametrize("status", [408, 413, 503])
def test_not_received(client: FlaskClient, status: int) -> None:
    """What the server could not receive is refused before anything else is looked at, the address included."""
    refusal = Refusal(status, Issue("transient", "Not received."), headers={"Retry-After": "7"})
    answer = client.post("/nothing", environ_overrides={NOT_RECEIVED: refusal})
    assert (answer.status_code, issue_of(answer)["code"], answer.headers["Retry-After"]) == (status, "transient", "7")


FAULTS = [
    one
    for one in vars(exceptions).values()
    if isinstance(one, type) and issubclass(one, exceptions.HTTPException) and (one.code or 0) >= 400
]


@pytest.fixture(scope="module")
def faulty() -> FlaskClient:
    """An application whose routes fail in each way that the framework knows, and in ways of our own."""
    app = Flask(__name__)
    request_log.add(app, {})
    errors.add(app)

    @app.get("/http/<int:number>")
    def http(number: int) -> str:
        raise FAULTS[number](description=f"{SECRET} in {__file__}")

    @app.get("/ours/<int:number>")
    def ours(number: int) -> str:
        raise (ValueError(SECRET), RecursionError(SECRET), MemoryError(SECRET), KeyError(SECRET))[number]

    return app.test_client()


@pytest.mark.parametrize("number", range(len(FAULTS)), ids=[one.__name__ for one in FAULTS])
def test_errors_of_the_framework(faulty: FlaskClient, number: int) -> None:
    """Every error of the framework keeps its status and becomes an OperationOutcome, without its own description."""
    answer = faulty.get(f"/http/{number}")
    assert answer.status_code == FAULTS[number].code
    assert issue_of(answer)["diagnostics"]


@pytest.mark.parametrize("number", range(4))
def test_failures(faulty: FlaskClient, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A failure of ours is a 500 that tells nothing, and a log line that has its kind and its place alone."""
    answer = faulty.get(f"/ours/{number}")
    assert (answer.status_code, issue_of(answer)["code"]) == (500, "exception")
    assert SECRET not in "".join(capsys.readouterr())


WORDS = [
    "a\x00b",
    "tab\there",
    "line\nfeed",
    "bell\x07",
    "\x1b[31m",
    "\x85\x9f",
    "x" * 10**6,
    "\ud800",
    "é ü 漢",
    "\r\n",
]


@pytest.mark.parametrize("words", WORDS)
def test_any_words(words: str) -> None:
    """Whatever words get into an issue, it is valid FHIR that can be written, and not long."""
    told = operation_outcome((Issue("invalid", f"So: {words}", f"at.{words}"),))
    assert strict.faults(told) == []
    written = json.dumps(told, ensure_ascii=False).encode()
    assert len(written) < 10_000
    assert not [one for one in json.loads(written)["issue"][0]["diagnostics"] if ord(one) < 32 and one != "\n"]
