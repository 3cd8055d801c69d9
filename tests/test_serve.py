"""The service as it runs: `visitcue serve` in a process of its own, called over HTTP, stopped by a signal."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
import requests
from flask.testing import FlaskClient

from tests.builders import CLAIM_SUBMIT, bundle, claim, claim_request, item
from tests.command import COMMAND
from tests.exchange import SERVICE_OF, codes, send
from tests.visits import CLEAN, FAULTY, chiro

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
TOKEN = "tok-9b1d-very-secret"
NAME = "Zebedee Quixworth"
FOR_A_START = 60
"""Seconds after which a service that does not answer is given up; no claim about speed."""


class Running(NamedTuple):
    """A service that answers, the address of it, and what it has said so far."""

    process: subprocess.Popen[str]
    base: str
    said: Callable[[], list[str]]

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(with_signal)
        return self.process.wait(timeout=FOR_A_START)


class FhirServer(BaseHTTPRequestHandler):
    """A FHIR server that holds nothing and notes who asked with which token."""

    tokens: list[str]

    def do_GET(self) -> None:
        type(self).tokens.append(self.headers.get("Authorization", ""))
        body = json.dumps(bundle()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def fhir_server() -> Iterator[tuple[str, list[str]]]:
    """The address of a FHIR server, and the Authorization headers that it received."""
    FhirServer.tokens = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), FhirServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", FhirServer.tokens
    server.shutdown()
    server.server_close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(log: Path, *words: str, **settings: str) -> Running:
    port = free_port()
    with log.open("w") as file:
        process = subprocess.Popen(
            [COMMAND, "serve", "--port", str(port), *words],
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **settings},
        )
    base = f"http://127.0.0.1:{port}"
    until = time.monotonic() + FOR_A_START
    while time.monotonic() < until and process.poll() is None:
        try:
            requests.get(f"{base}/health/live", timeout=5).raise_for_status()
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return Running(process, base, lambda: log.read_text().splitlines())
    process.terminate()
    process.wait(timeout=FOR_A_START)
    raise AssertionError(f"The service did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, fhir_server: tuple[str, list[str]]) -> Iterator[Running]:
    """The service on a free port, allowed to read from the FHIR server."""
    service = start(tmp_path_factory.mktemp("serve") / "log", VISITCUE_FHIR_SERVERS=json.dumps([fhir_server[0]]))
    yield service
    service.process.terminate()  # not kill: its workers would outlive it
    service.process.wait(timeout=FOR_A_START)


def post(running: Running, body: object, service: str = CLAIM_SUBMIT) -> requests.Response:
    return requests.post(f"{running.base}/cds-services/{service}", json=body, timeout=FOR_A_START)


def test_three_lines(running: Running) -> None:
    """At its start the service says in three lines where it is, where discovery is, and what to call."""
    first, second, third = running.said()[:3]
    assert running.base in first
    assert f"{running.base}/cds-services" in second
    assert third.startswith("Try: curl ")
    assert f"{running.base}/cds-services/{CLAIM_SUBMIT}" in third


def test_the_third_line_works(running: Running) -> None:
    """The example that the third line names is there, and is answered with cards."""
    words = running.said()[2].split()
    (example,) = [word.removeprefix("@") for word in words if word.startswith("@")]
    body = json.loads((EXAMPLES.parent / example).read_bytes())
    answer = requests.post(words[-1], json=body, timeout=FOR_A_START)
    assert answer.status_code == 200
    assert codes(answer.json()["cards"])


@pytest.mark.parametrize("name", [*list(FAULTY)[:8], *CLEAN])
def test_same_answer_as_in_process(running: Running, client: FlaskClient, name: str) -> None:
    """Over HTTP the answer is the one that the application gives in process."""
    body = {**FAULTY, **CLEAN}[name]
    answer = post(running, body, SERVICE_OF[body["hook"]])
    assert (answer.status_code, answer.content) == (200, send(client, body).data)


def test_overview(running: Running) -> None:
    """The address of the first line shows a page that names the services."""
    page = requests.get(running.base, timeout=FOR_A_START)
    assert page.headers["Content-Type"].startswith("text/html")
    assert CLAIM_SUBMIT in page.text


def test_bad_request(running: Running) -> None:
    """What is not JSON is refused over HTTP as well, and the next request is answered."""
    answer = requests.post(f"{running.base}/cds-services/{CLAIM_SUBMIT}", data=b"\xff{", timeout=FOR_A_START)
    assert answer.status_code in (400, 415)
    assert post(running, CLEAN["orders"] | {"hook": "nonsense"}).status_code == 400
    assert post(running, CLEAN["PT, Medicare"]).json() == {"cards": []}


def test_token_goes_to_the_server_alone(running: Running, fhir_server: tuple[str, list[str]]) -> None:
    """The token reaches the FHIR server, and stands in no answer and in no line that the service writes."""
    address, tokens = fhir_server
    body = claim_request(claim(item(1, "97110")))
    del body["prefetch"]["goals"]
    authorization = {"access_token": TOKEN, "token_type": "Bearer"}
    answer = post(running, {**body, "fhirServer": address, "fhirAuthorization": authorization})
    assert answer.status_code == 200
    assert tokens == [f"Bearer {TOKEN}"]
    assert TOKEN not in answer.text
    assert TOKEN not in "\n".join(running.said())


@pytest.mark.parametrize("token", ["€uro-very-secret", "a\nX-Evil: very-secret"])
def test_token_that_no_header_can_hold(running: Running, fhir_server: tuple[str, list[str]], token: str) -> None:
    """A token that no header can hold costs what it should have fetched, and is shown nowhere."""
    body = claim_request(claim(item(1, "97110")))
    del body["prefetch"]["goals"]
    answer = post(running, {**body, "fhirServer": fhir_server[0], "fhirAuthorization": {"access_token": token}})
    assert "facts.not-checked" in codes(answer.json()["cards"])
    assert "very-secret" not in answer.text + "\n".join(running.said()[3:])


def test_log(running: Running) -> None:
    """The log has a JSON line for each request, with findings and editions, and no word of the patient."""
    before = len(running.said())
    post(running, {**chiro(), "vendor": NAME})
    post(running, {**chiro(), "hook": NAME})
    told = [json.loads(line) for line in running.said()[before:]]
    assert [line["event"] for line in told] == ["answered", "refused"]
    assert told[0]["findings"] == {"modifiers.distinct-then-gp": 1}
    assert told[0]["editions"][0].startswith("bcbsnc@")
    for word in (NAME, "test-patient", "North Carolina"):
        assert word not in "\n".join(running.said()[before:])


def test_port_that_is_taken(running: Running, tmp_path: Path) -> None:
    """A port on which something listens is one line that names it, and status 2."""
    port = running.base.rpartition(":")[2]
    done = subprocess.run(
        [COMMAND, "serve", "--port", port],
        capture_output=True,
        text=True,
        check=False,
        timeout=FOR_A_START,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.strip().splitlines()
    assert port in line


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_stop(tmp_path: Path, name: str) -> None:
    """The service stops on a signal, leaves its port, and shows no traceback."""
    service = start(tmp_path / "log")
    service.stop(signal.Signals[name])
    assert "Traceback" not in "\n".join(service.said())
    with pytest.raises(requests.ConnectionError):
        requests.get(service.base, timeout=5)


def test_bad_rule_file_stops_the_start(tmp_path: Path) -> None:
    """A base book that does not exist stops the start, in one line."""
    done = subprocess.run(
        [COMMAND, "serve", "--port", str(free_port())],
        capture_output=True,
        text=True,
        check=False,
        timeout=FOR_A_START,
        cwd=tmp_path,
        env={**os.environ, "VISITCUE_BASE_BOOK": "nobody"},
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_killed(tmp_path: Path) -> None:
    """A service whose first process is killed leaves no worker behind that keeps the port."""
    service = start(tmp_path / "log")
    service.process.kill()
    service.process.wait(timeout=FOR_A_START)
    until = time.monotonic() + FOR_A_START
    while time.monotonic() < until:
        try:
            requests.get(f"{service.base}/cds-services", timeout=1)
        except requests.RequestException:
            return
        time.sleep(0.05)
    raise AssertionError("A worker still answers.")


def workers_of(service: Running) -> set[int]:
    pid = service.process.pid
    return {int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()}


@pytest.mark.skipif(sys.platform != "linux", reason="the workers of a process are read where Linux tells them")
@pytest.mark.parametrize("workers", [1, 3])
def test_worker_that_dies(tmp_path: Path, workers: int) -> None:
    """A worker that is killed is replaced: the service goes on, with as many as before."""
    service = start(tmp_path / "log", "--workers", str(workers))
    before = workers_of(service)
    assert len(before) == workers
    killed = before.pop()
    os.kill(killed, signal.SIGKILL)
    until = time.monotonic() + FOR_A_START
    while time.monotonic() < until and (killed in workers_of(service) or len(workers_of(service)) < workers):
        time.sleep(0.05)
    assert len(workers_of(service)) == workers
    assert before < workers_of(service)
    answered = 0
    while time.monotonic() < until and answered < 10:
        try:
            answered += requests.get(f"{service.base}/health/live", timeout=5).status_code == 200
        except requests.RequestException:
            time.sleep(0.05)
    assert answered == 10
    assert service.process.poll() is None
    service.stop()
