"""Whatever a FHIR server answers, the EHR gets cards, or a 412 that says what is missing."""

import json
import random
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from flask.testing import FlaskClient

from tests.builders import (
    CLAIM_SUBMIT,
    DISCHARGE,
    KEYS,
    ORDER_SIGN,
    Json,
    bundle,
    claim,
    coverage,
    discharge_request,
    encounter,
    form,
    item,
    order,
    order_request,
    procedure,
)
from tests.exchange import send
from tests.fhir_stub import CLAIM, TOKEN, FhirStub, fhir_stub, installation, link, withheld, write
from tests.mutations import damaged, encoded, garbled
from tests.visits import EXERCISE, MANUAL

REQUESTS = {
    CLAIM_SUBMIT: CLAIM,
    ORDER_SIGN: order_request(order("o-1", "97110", 3)),
    DISCHARGE: discharge_request(),
}
GOOD: list[Json] = [
    encounter(),
    bundle(EXERCISE, MANUAL),
    {**bundle(EXERCISE, procedure("p", "97140")), "link": link("Procedure?page=2")},
    bundle(coverage()),
    bundle(form("f"), {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}),
    bundle(claim(item(1, "97110", 4))),
    {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]},
]
STATUSES = (200, 200, 200, 200, 200, 201, 204, 206, 302, 400, 401, 403, 404, 410, 429, 500, 503)
KINDS = ("application/fhir+json", "application/json", "text/html", "application/fhir+xml; charset=latin1", "")


@pytest.fixture(scope="module")
def stub() -> Iterator[FhirStub]:
    with fhir_stub() as running:
        yield running


@pytest.fixture(scope="module")
def listed(stub: FhirStub) -> FlaskClient:
    return installation(stub, fetch_pages=3, fetch_bytes=20_000, fetch_seconds=5)


@pytest.mark.parametrize("seed", range(12))
def test_junk(stub: FhirStub, listed: FlaskClient, seed: int) -> None:
    """Answers that are damaged, garbled or of an odd status never become a failure of ours."""
    dice = random.Random(seed)

    def junk(handler: BaseHTTPRequestHandler) -> None:
        body = encoded(damaged(dice.choice(GOOD), dice))
        if dice.random() < 0.3:
            body = garbled(body, dice)
        write(handler, body, dice.choice(STATUSES), Content_Type=dice.choice(KINDS))

    stub.otherwise = junk
    for _ in range(12):
        service = dice.choice([*REQUESTS])
        answer = send(listed, withheld(REQUESTS[service], *KEYS[service], server=stub.base), service)
        told = f"{answer.status_code} for seed {seed}"
        assert answer.status_code in ((200, 412) if service == DISCHARGE else (200,)), told
        body = json.loads(answer.data)
        assert ("cards" in body) == (answer.status_code == 200), told
        assert TOKEN not in answer.get_data(as_text=True), told
