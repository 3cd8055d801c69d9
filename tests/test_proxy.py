"""The proxy of deploy/nginx/nginx.conf, as it runs in front of the service: TLS, what it lets in, what it logs."""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.test_fetch_tls import HOST, Certificates
from tests.test_serve import FOR_A_START, free_port, start
from tests.tokens import DISCOVERY, PUBLIC, SERVICE, bearer, token, trust_file
from tests.visits import CLEAN

CONFIGURATION = Path(__file__).resolve().parent.parent / "deploy" / "nginx" / "nginx.conf"
BODY = json.dumps(CLEAN["PT, Medicare"]).encode()
METRICS_TOKEN = "obviously-fake-metrics-token"


class Answer(NamedTuple):
    """What came back through the proxy."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Proxy(NamedTuple):
    """nginx in front of a service: how to reach it, and what it logged."""

    port: int
    plain_port: int
    context: ssl.SSLContext
    log: Path

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=FOR_A_START)
        connection = http.client.HTTPConnection(HOST, timeout=FOR_A_START)
        with self.context.wrap_socket(raw, server_hostname=HOST) as connection.sock:
            connection.request(method, path, body or None, {"Content-Type": "application/json", **headers})
            got = connection.getresponse()
            return Answer(got.status, got.headers, got.read())


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """nginx as it is configured, with other ports and places, in front of two workers that trust a client."""
    tool = shutil.which("nginx")
    if tool is None:
        pytest.skip("nginx is not installed; it is in Debian's package nginx-light.")
    folder = tmp_path_factory.mktemp("proxy")
    secrets = folder / "secrets"
    secrets.mkdir()
    (secrets / "visitcue_metrics_token").write_text(METRICS_TOKEN, encoding="utf-8")
    settings = {"VISITCUE_SECRETS_DIR": str(secrets), "VISITCUE_PUBLIC_URL": PUBLIC, "VISITCUE_DATA_DIR": str(folder)}
    service = start(folder / "log", "--workers", "2", VISITCUE_TRUST_FILE=str(trust_file(folder)), **settings)
    certificates = Certificates(folder)
    tls, plain = free_port(), free_port()
    text = CONFIGURATION.read_text(encoding="utf-8")
    for ours, here in (
        ("/tmp/", f"{folder}/"),
        ("visitcue:8000", service.base.removeprefix("http://")),
        ("listen 8443", f"listen 127.0.0.1:{tls}"),
        ("listen 8080", f"listen 127.0.0.1:{plain}"),
        ("/run/secrets/tls_certificate", str(certificates.chain)),
        ("/run/secrets/tls_key", str(certificates.chain)),
    ):
        assert ours in text
        text = text.replace(ours, here)
    file, log = folder / "nginx.conf", folder / "nginx.log"
    file.write_text(text, encoding="utf-8")
    as_root = " user root;" if os.geteuid() == 0 else ""  # else nobody, who may not look into the folder
    words = [tool, "-c", str(file), "-g", f"daemon off;{as_root}"]
    tested = subprocess.run([*words, "-t"], capture_output=True, text=True, check=False, timeout=60)
    assert tested.returncode == 0, tested.stderr
    with log.open("w") as out:
        process = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT)
    _wait(tls)
    yield Proxy(tls, plain, ssl.create_default_context(cafile=str(certificates.authority)), log)
    process.terminate()
    process.wait(timeout=FOR_A_START)
    service.stop()


def _wait(port: int) -> None:
    until = time.monotonic() + FOR_A_START
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx did not start.")


def test_token_passes(proxy: Proxy) -> None:
    """A client's token reaches the service unchanged, and its call is answered with cards."""
    answer = proxy.call("POST", SERVICE, BODY, **bearer(token(SERVICE)))
    assert answer.status == 200
    assert "cards" in json.loads(answer.body)


def test_discovery_passes(proxy: Proxy) -> None:
    """Discovery is let in, too, and the browser or client is told to stay with TLS."""
    answer = proxy.call("GET", DISCOVERY, b"", **bearer(token(DISCOVERY)))
    assert answer.status == 200
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_no_token(proxy: Proxy) -> None:
    """Without a token the service's own refusal comes through, with its request id."""
    answer = proxy.call("POST", SERVICE, BODY)
    assert (answer.status, json.loads(answer.body)["resourceType"]) == (401, "OperationOutcome")
    assert answer.headers["X-Request-ID"]


@pytest.mark.parametrize("path", ["/", "/metrics", "/openapi.json", "/health/live", "/cds-services/../metrics"])
def test_rest_stays_inside(proxy: Proxy, path: str) -> None:
    """What is no part of the protocol is not reached from outside, with the right token neither."""
    assert proxy.call("GET", path, b"", **bearer(METRICS_TOKEN)).status == 404


def test_load_balancer_may_ask(proxy: Proxy) -> None:
    """Whether the service is ready may be asked through the proxy."""
    assert proxy.call("GET", "/health/ready").status == 200


def test_large_body_passes(proxy: Proxy) -> None:
    """A request of some megabytes, as one with a lot of prefetched data is, is answered."""
    assert proxy.call("POST", SERVICE, BODY + b" " * 6_000_000, **bearer(token(SERVICE))).status == 200


def test_service_says_that_a_body_is_too_large(proxy: Proxy) -> None:
    """A body above the service's limit and below the proxy's is refused by the service, in words."""
    answer = proxy.call("POST", SERVICE, BODY + b" " * 8_500_000, **bearer(token(SERVICE)))
    assert (answer.status, json.loads(answer.body)["resourceType"]) == (413, "OperationOutcome")


def test_plain_http_is_sent_to_tls(proxy: Proxy) -> None:
    """Who comes without TLS is sent to the same address with it, and not let in."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.plain_port, timeout=FOR_A_START)
    connection.request("GET", DISCOVERY, headers={"Host": HOST})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{HOST}{DISCOVERY}")
    connection.close()


def test_log_is_quiet(proxy: Proxy) -> None:
    """The proxy's log has the address and the status of a call, and neither its query, its token nor its body."""
    sent = token(SERVICE)
    proxy.call("POST", f"{SERVICE}?patient=Zebedee-Quixworth", BODY, **bearer(sent))
    time.sleep(0.1)
    logged = proxy.log.read_text(encoding="utf-8")
    assert f" POST {SERVICE} " in logged
    assert [word for word in ("Quixworth", sent, METRICS_TOKEN, "resourceType") if word in logged] == []
