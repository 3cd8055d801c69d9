"""The corpus: what is read from FHIR as systems of many kinds send it, and as it comes when something is broken."""

import re
from typing import Any

import pytest
from fhir.resources import get_fhir_model_class

from plugin import strict
from tests.fhir_corpus import FOLDER, Case, differences, names, plain_facts, read_body, read_case

HOST = re.compile(r"https?://([\w.-]+)")
STANDARDS = {
    "hl7.org", "terminology.hl7.org", "loinc.org", "snomed.info", "nucc.org", "unitsofmeasure.org", "www.ama-assn.org",
    "www.cms.gov", "www.w3.org",
}  # fmt: skip

CASES = [read_case(name) for name in names()]
TODAY = [pytest.param(case, id=case.name) for case in CASES if case.known_gap]
RIGHT = [
    pytest.param(
        case,
        id=case.name,
        marks=[pytest.mark.xfail(reason="; ".join(gap.why for gap in case.known_gap))] if case.known_gap else [],
    )
    for case in CASES
]


@pytest.mark.parametrize("case", RIGHT)
def test_facts(case: Case) -> None:
    """The facts of an input are those that are right for it; where that is known not to be so yet, it is expected."""
    assert dict(differences(case.right, plain_facts(case.body))) == {}


@pytest.mark.parametrize("case", TODAY)
def test_known_gaps(case: Case) -> None:
    """An input that is not read rightly yet is wrong in the places that its facts file names, and in no other."""
    known = {at: value for gap in case.known_gap for at, value in gap.today.items()}
    assert dict(differences(case.right, plain_facts(case.body))) == known


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES if case.valid])
def test_valid(case: Case) -> None:
    """What is said to be valid FHIR is valid by the strict models of its version."""
    for resource in resources(read_body(case.name)):
        if case.version == "R4":
            assert strict.faults(resource) == []
        else:
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def resources(body: Any) -> list[Any]:
    """The resources and Bundles of an input."""
    if "hook" not in body:
        return [body]
    values = [*body["context"].values(), *body.get("prefetch", {}).values()]
    return [value for value in values if isinstance(value, dict)]


def test_every_input_has_its_facts() -> None:
    """Inputs and facts files come in pairs, and there are enough of them to mean something."""
    assert names() == sorted(path.stem for path in FOLDER.glob("*.toml"))
    assert len(names()) >= 60


def test_silence_is_proved() -> None:
    """At least a third of the inputs leave nothing to be said that could not be read: a false alarm costs as well."""
    silent = [case for case in CASES if not (case.gaps or case.unavailable or case.refused)]
    assert len(silent) * 3 >= len(CASES)


def test_nobody_is_in_it() -> None:
    """The inputs are short, and every address in them is a standard's or one that is set aside for examples."""
    for name in names():
        text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
        assert len(text) < 16_000, name
        hosts = set(HOST.findall(text)) - STANDARDS
        assert all(host.endswith(".example") for host in hosts), name
