"""FHIR to facts: who gave a service, of which profession, and how many of its minutes an assistant gave alone."""

from typing import Any

import pytest

from tests.builders import Json, bundle, claim_request, coded, discharge_request, form, item, procedure, ref
from tests.builders import claim as claim_of
from tests.facts_of import line, unreadable, visit

NUCC = "http://nucc.org/provider-taxonomy"
NPI = "http://hl7.org/fhir/sid/us-npi"
EHR = "https://ehr.example/fhir"
URN = "urn:uuid:3f5c1c1e-7a4d-4f65-9d8e-0d8a3a1c2b11"
PT, PTA, OT, OTA = (coded(NUCC, code) for code in ("225100000X", "225200000X", "225X00000X", "224Z00000X"))
THERAPIST, ASSISTANT = "physical-therapist", "physical-therapist-assistant"


def by(function: Json | None = None, actor: Any = "Practitioner/one") -> Json:
    """A performer with this function."""
    named = {"reference": actor} if isinstance(actor, str) else actor
    return {**({"function": function} if function else {}), **({"actor": named} if named else {})}


def given(*performers: Json, name: str = "a", clock: str = "09:00", minutes: int = 20, **more: Any) -> Json:
    """Exercise that these performers gave."""
    return procedure(name, "97110", clock, minutes, performer=list(performers), **more)


def practitioner(qualified: Json | None = None, **more: Any) -> Json:
    told = {"qualification": [{"code": qualified}]} if qualified else {}
    return {"resourceType": "Practitioner", "id": "one", **told, **more}


def in_role(**more: Any) -> Json:
    return {"resourceType": "PractitionerRole", "id": "r", "practitioner": ref("Practitioner", "one"), **more}


def recorded(done: Json, *others: Json, urn: str = "") -> Json:
    """The visit with this Procedure; the last of the others has the urn as its fullUrl."""
    body = discharge_request(done, *others)
    if urn:
        body["prefetch"]["procedures"]["entry"][-1]["fullUrl"] = urn
    return body


def assistant(request: Json) -> tuple[int, str] | None:
    found = line(request).assistant
    return None if found is None else (found.value, found.read_from)


ROLE, PERSON = ref("PractitionerRole", "r")["reference"], ref("Practitioner", "one")["reference"]
SOURCES: list[tuple[str, Json, list[Json]]] = [
    ("PractitionerRole.code", by(actor=ROLE), [in_role(code=[PTA])]),
    ("PractitionerRole.specialty", by(actor=ROLE), [in_role(specialty=[PTA])]),
    ("PractitionerRole.code before specialty", by(actor=ROLE), [in_role(code=[PTA], specialty=[PT])]),
    ("qualification behind a role", by(actor=ROLE), [in_role(), practitioner(PTA)]),
    ("Practitioner.qualification", by(), [practitioner(PTA)]),
    ("Practitioner.name.suffix", by(), [practitioner(name=[{"family": "Quill", "suffix": ["PTA"]}])]),
    ("the function before the qualification", by(PTA), [practitioner(PT)]),
    ("the printed name", by(actor={"reference": PERSON, "display": "Quill, Quinn, PTA"}), []),
]


@pytest.mark.parametrize(("name", "performer", "others"), SOURCES, ids=[one[0] for one in SOURCES])
def test_sources_of_a_profession(name: str, performer: Json, others: list[Json]) -> None:
    """The profession is what the function says, else the practitioner's role, qualification or printed name."""
    found = line(recorded(given(performer), *others))
    assert found.roles == {ASSISTANT}, name
    assert found.performers == {"Practitioner/one"}


INSIDE = practitioner(PTA, identifier=[{"system": NPI, "value": "1234567893"}])
REFERENCES: list[tuple[str, Any, list[Json], str, set[str]]] = [
    ("absolute", f"{EHR}/Practitioner/one", [], "", {"Practitioner/one"}),
    ("a version", f"{EHR}/Practitioner/one/_history/3", [], "", {"Practitioner/one"}),
    ("urn of a practitioner", URN, [practitioner()], URN, {"Practitioner/one"}),
    ("urn of a role", URN, [in_role()], URN, {"Practitioner/one"}),
    ("urn of nobody", URN, [], "", {URN}),
    ("a role that was not sent", ROLE, [], "", {ROLE}),
    ("a number", {"identifier": {"system": NPI, "value": "1234567893"}}, [], "", {f"{NPI}|1234567893"}),
    ("a name", {"display": "Quinn Quill"}, [], "", set()),
    ("an organization", "Organization/clinic", [], "", set()),
    ("urn of an organization", URN, [{"resourceType": "Organization", "id": "clinic"}], URN, set()),
    ("an organization's number", {"type": "Organization", "identifier": {"value": "7"}}, [], "", set()),
]


@pytest.mark.parametrize(
    ("name", "actor", "others", "urn", "performers"), REFERENCES, ids=[one[0] for one in REFERENCES]
)
def test_references(name: str, actor: Any, others: list[Json], urn: str, performers: set[str]) -> None:
    """A practitioner is known by one reference however it is written, and an organization is nobody's."""
    assert line(recorded(given(by(actor=actor)), *others, urn=urn)).performers == performers, name


@pytest.mark.parametrize(
    ("contained", "performers"),
    [
        ([INSIDE], {f"{NPI}|1234567893"}),
        ([practitioner(PTA)], set()),
        ([in_role(id="one", code=[PTA])], {"Practitioner/one"}),
    ],
)
def test_contained_practitioner(contained: list[Json], performers: set[str]) -> None:
    """A contained practitioner states his profession; a name that others know him by is his number only."""
    found = line(recorded(given(by(actor="#one"), contained=contained)))
    assert found.roles == {ASSISTANT}
    assert found.performers == performers


def test_same_local_name_in_two_services() -> None:
    """What a Procedure contains says nothing of another Procedure that uses the same local name."""
    one = given(by(actor="#one"), contained=[practitioner(PTA)])
    body = discharge_request(one, procedure("b", "97140", performer=[by(actor="#one")], contained=[practitioner(PT)]))
    assert [one.roles for one in visit(body).lines] == [{ASSISTANT}, {THERAPIST}]


MINUTES: list[tuple[str, list[Json], int | None, set[str]]] = [
    ("an assistant", [by(PTA)], 20, {ASSISTANT}),
    ("an occupational therapist's assistant", [by(OTA)], 20, {"occupational-therapist-assistant"}),
    ("a therapist", [by(PT)], 0, {THERAPIST}),
    ("both together", [by(PT, "Practitioner/two"), by(PTA)], 0, {THERAPIST, ASSISTANT}),
    ("an assistant and a massage therapist", [by(PTA), by({"text": "LMT"})], 20, {ASSISTANT, "massage-therapist"}),
    ("a massage therapist", [by({"text": "LMT"})], 0, {"massage-therapist"}),
    ("somebody unknown", [by()], None, set()),
    ("an assistant and somebody unknown", [by(PTA), by(actor="Practitioner/two")], None, set()),
    ("a therapist and somebody unknown", [by(PT), by(actor="Practitioner/two")], 0, {THERAPIST}),
    ("an assistant who is listed twice", [by(PTA), by()], 20, {ASSISTANT}),
    ("an assistant of a clinic", [by(PTA), by(actor="Organization/clinic")], 20, {ASSISTANT}),
    ("an assistant who was supervised", [by(PTA), by({"text": "Supervising PT"}, "Practitioner/two")], 20, {ASSISTANT}),
    ("nobody", [], None, set()),
]


@pytest.mark.parametrize(("name", "performers", "minutes", "roles"), MINUTES, ids=[one[0] for one in MINUTES])
def test_minutes_of_an_assistant(name: str, performers: list[Json], minutes: int | None, roles: set[str]) -> None:
    """Time together is the therapist's, and where somebody's profession is unknown nobody's time is an assistant's."""
    body = recorded(given(*performers))
    assert assistant(body) == (None if minutes is None else (minutes, "Procedure/a.performer")), name
    assert line(body).roles == roles


def test_assistant_without_minutes() -> None:
    """Without minutes only the role tells that an assistant gave a service; a therapist's tells that none did."""
    assert assistant(recorded(procedure("a", "97014", performer=[by(PTA)]))) is None
    assert line(recorded(procedure("a", "97014", performer=[by(PTA)]))).roles == {ASSISTANT}
    assert assistant(recorded(procedure("a", "97014", performer=[by(PT)]))) == (0, "Procedure/a.performer")


def joined(*done: Json, **prefetch: Any) -> Json:
    return claim_request(claim_of(item(1, "97110", 2)), *done, **prefetch)


def second(performer: Json, clock: str = "09:20", minutes: int = 15) -> Json:
    return given(performer, name="b", clock=clock, minutes=minutes)


SEVERAL: list[tuple[str, Json, int | None, set[str]]] = [
    ("two assistants", second(by(PTA)), 35, {ASSISTANT}),
    ("a therapist afterwards", second(by(PT, "Practitioner/two")), 20, {ASSISTANT, THERAPIST}),
    ("a therapist at the same time", second(by(PT, "Practitioner/two"), "09:10", 10), 10, {ASSISTANT, THERAPIST}),
    ("two assistants at the same time", second(by(PTA), "09:00", 20), 20, {ASSISTANT}),
    ("somebody unknown", second(by(actor="Practitioner/two")), None, set()),
    ("nobody named", procedure("b", "97110", "09:20", 15), None, set()),
]


@pytest.mark.parametrize(("name", "other", "minutes", "roles"), SEVERAL, ids=[one[0] for one in SEVERAL])
def test_several_procedures_of_a_line(name: str, other: Json, minutes: int | None, roles: set[str]) -> None:
    """An assistant's minutes of several Procedures add up, without those that a therapist was there for."""
    found = line(joined(given(by(PTA)), other))
    assert (found.assistant.value if found.assistant else None) == minutes, name
    assert found.roles == roles


@pytest.mark.parametrize(("answer", "minutes"), [(8, 8), (0, 0), ("8 min", 8), ("most of it", 20)])
@pytest.mark.parametrize("place", ["procedure", "visit"])
def test_assistant_in_a_form(place: str, answer: int | str, minutes: int) -> None:
    """A form about the Procedure states an assistant's minutes before its performers do; one of the visit does not."""
    told = form("f", *(["a"] if place == "procedure" else []), answers={"assistant_time": answer})
    expected = (
        "Procedure/a.performer" if minutes == 20 or place == "visit" else "QuestionnaireResponse/f#assistant_time"
    )
    found = assistant(joined(given(by(PTA)), forms=bundle(told)))
    assert found == (minutes if place == "procedure" else 20, expected)


def test_assistant_in_a_form_beside_others() -> None:
    """What a form says of one Procedure is added to what the performers say of another."""
    told = form("f", "a", answers={"assistant_time": 5})
    found = assistant(joined(given(by(PTA)), second(by(PTA)), forms=bundle(told)))
    assert found == (20, "QuestionnaireResponse/f#assistant_time, Procedure/b.performer")


def test_minutes_that_forms_state() -> None:
    """Minutes of Procedures that only forms state are an assistant's as well, and add up."""
    done = [procedure(name, "97110", performer=[by(PTA)]) for name in ("a", "b")]
    told = [form(f"f-{name}", name, answers={"actual_time": minutes}) for name, minutes in (("a", 10), ("b", 15))]
    assert assistant(joined(*done, forms=bundle(*told))) == (25, "Procedure/a.performer, Procedure/b.performer")


GARBAGE: list[tuple[str, Any, str]] = [
    ("text", "one", "Procedure/a.performer"),
    ("an object", {"actor": {}}, "Procedure/a.performer"),
    ("text in a list", ["one"], "Procedure/a.performer[0]"),
    ("a function as text", [{"function": "PT"}], "Procedure/a.performer[0].function"),
    ("an actor as text", [{"actor": "Practitioner/one"}], "Procedure/a.performer[0].actor"),
]


@pytest.mark.parametrize(("name", "written", "path"), GARBAGE, ids=[one[0] for one in GARBAGE])
def test_broken_performer(name: str, written: Any, path: str) -> None:
    """Performers that cannot be read are said, and cost the Procedure nothing else."""
    body = joined(procedure("a", "97110", "09:00", 20, performer=written))
    assert unreadable(body) == [path], name
    assert line(body).minutes is not None
    assert "performer" not in line(body).evidence


@pytest.mark.parametrize(
    ("broken", "below"),
    [
        (practitioner() | {"qualification": "PT"}, ".qualification"),
        (practitioner() | {"name": [{"suffix": "PT"}]}, ".name[0].suffix"),
        (in_role(code="PT"), ".code"),
        (in_role(practitioner="Practitioner/one"), ".practitioner"),
    ],
)
def test_broken_practitioner(broken: Json, below: str) -> None:
    """A practitioner or role that cannot be read is said with its path."""
    assert unreadable(recorded(given(by()), broken)) == [f"prefetch.procedures.entry[1].resource{below}"]
