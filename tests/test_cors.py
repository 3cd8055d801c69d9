"""Clients that are web pages: their browsers ask before they call, and hide every answer that does not allow them."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from plugin.settings import Settings
from plugin.web.app import create_app
from tests import tokens
from tests.command import Run
from tests.tokens import DISCOVERY, FEEDBACK, SERVICE

ENDPOINTS = [DISCOVERY, SERVICE, FEEDBACK]
EHR, OTHER = "https://ehr.example.org", "https://evil.example"
ASKED = {"Origin": EHR, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A service that asks for tokens."""
    return tokens.trusting(tokens.trust_file(tmp_path_factory.mktemp("cors")))


@pytest.fixture(scope="module")
def listed() -> FlaskClient:
    """A service that pages of two origins may call."""
    return create_app(Settings(cors_origins=[EHR, "http://localhost:8080"])).test_client()


def words(header: str) -> set[str]:
    return {word.strip().lower() for word in header.split(",")}


@pytest.mark.parametrize("path", ENDPOINTS)
def test_preflight(trusting: FlaskClient, path: str) -> None:
    """A browser's question is answered without a token, for discovery as for the others."""
    answer = trusting.options(path, headers=ASKED)
    assert answer.status_code in (200, 204)
    headers = answer.headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert {"authorization", "content-type"} <= words(headers["Access-Control-Allow-Headers"])
    assert {"get", "post"} <= words(headers["Access-Control-Allow-Methods"])


@pytest.mark.parametrize("path", ENDPOINTS)
def test_preflight_from_outside(client: FlaskClient, path: str) -> None:
    """The question is answered wherever it comes from; the call that follows says why it is refused."""
    far = {"REMOTE_ADDR": "10.0.0.7"}
    assert client.options(path, headers=ASKED, environ_base=far).status_code == 200
    refused = client.open(path, method="GET" if path == DISCOVERY else "POST", environ_base=far)
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (403, "*")


def failing() -> FlaskClient:
    """A service that reads bodies of 10 bytes at most, and fails on one address."""
    app = create_app(Settings(max_body_bytes=10))
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.get("/fails")
    def fails() -> str:
        raise RuntimeError

    return app.test_client()


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("POST", SERVICE, {"data": b"{"}, 400),
        ("POST", SERVICE, {"json": {"a": "b" * 20}}, 413),
        ("POST", SERVICE, {"data": b"a", "content_type": "text/plain"}, 415),
        ("POST", "/cds-services/none", {"json": {}}, 404),
        ("GET", "/none", {}, 404),
        ("PUT", SERVICE, {}, 405),
        ("GET", "/fails", {}, 500),
    ],
)
def test_refusals(method: str, path: str, sent: dict[str, Any], status: int) -> None:
    """A page can read every refusal."""
    answer = failing().open(path, method=method, **sent)
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", ENDPOINTS)
def test_refused_token(trusting: FlaskClient, path: str) -> None:
    """A page can read that its token was refused, why, and under which id the log knows it."""
    answer = trusting.open(path, method="GET" if path == DISCOVERY else "POST", headers={"Origin": EHR})
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert {"www-authenticate", "x-request-id"} <= words(answer.headers["Access-Control-Expose-Headers"])


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_listed_origin(listed: FlaskClient, method: str) -> None:
    """Where origins are listed, a page of one of them is allowed by name, and caches tell the answers apart."""
    answer = listed.open(DISCOVERY, method=method, headers={**ASKED, "Origin": "http://localhost:8080"})
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:8080"
    assert "origin" in words(answer.headers["Vary"])


@pytest.mark.parametrize("origin", [OTHER, f"{EHR}.evil.example", EHR.upper(), "null", "", f"{EHR}:443", None])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_other_origin(listed: FlaskClient, method: str, origin: str | None) -> None:
    """Where origins are listed, no other is allowed, and caches tell the answers apart."""
    headers = {} if origin is None else {"Origin": origin}
    answer = listed.open(DISCOVERY, method=method, headers=headers)
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control-Allow")]
    assert "origin" in words(answer.headers["Vary"])


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_any_origin(client: FlaskClient, method: str) -> None:
    """Where none is listed, the answer is the same for every origin, and no page's is repeated."""
    answer = client.open(DISCOVERY, method=method, headers={"Origin": OTHER})
    assert answer.headers.getlist("Access-Control-Allow-Origin") == ["*"]
    assert "Vary" not in answer.headers


@pytest.mark.parametrize("path", ENDPOINTS)
def test_no_credentials(client: FlaskClient, listed: FlaskClient, trusting: FlaskClient, path: str) -> None:
    """A browser's own credentials are never allowed."""
    for one in (client, listed, trusting):
        for method in ("OPTIONS", "GET", "POST"):
            answer = one.open(path, method=method, headers=ASKED)
            assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "value", [["ehr.example.org"], ["https://ehr.example.org/app"], ["*", EHR], ["https://EHR.example"]]
)
def test_wrong_origins(run: Run, monkeypatch: pytest.MonkeyPatch, value: list[str]) -> None:
    """What no browser sends as an origin stops the start, in one line."""
    monkeypatch.setenv("VISITCUE_CORS_ORIGINS", json.dumps(value))
    assert run("serve").one_line().startswith("VISITCUE_CORS_ORIGINS: ")
