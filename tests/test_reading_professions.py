"""FHIR to facts: professions by code and by word, as the open table has them."""

import csv
from pathlib import Path

import pytest

from mappings import tables
from mappings.errors import RuleFileError
from mappings.fhir.professions import read_professions
from mappings.visit import ROLES
from tests.builders import Json, coded, discharge_request, procedure
from tests.facts_of import line

NUCC = "http://nucc.org/provider-taxonomy"
THERAPIST, ASSISTANT = "physical-therapist", "physical-therapist-assistant"

with (tables.FOLDER / "professions.csv").open(encoding="utf-8", newline="") as _file:
    ROWS = list(csv.DictReader(_file))


def given(performer: Json) -> Json:
    """A visit with a service that this performer gave."""
    return discharge_request(procedure("a", "97110", performer=[performer]))


def by(function: Json) -> Json:
    return {"function": function, "actor": {"reference": "Practitioner/one"}}


@pytest.mark.parametrize("row", ROWS, ids=[row["code"] or row["words"] for row in ROWS])
def test_table_of_professions(row: dict[str, str]) -> None:
    """Every row of the table is read where a performer's function says it; a code with a star stands for its kin."""
    words: Json = {"text": f"Licensed {row['words'].upper()}."}
    code = row["code"].removesuffix("*").ljust(9, "0") + "X" if row["code"].endswith("*") else row["code"]
    function = words if row["words"] else coded(row["system"], code)
    assert line(given(by(function))).roles == {row["role"]}


UNKNOWN: list[tuple[str, Json]] = [
    ("an aide", {"text": "Physical therapist aide"}),
    ("a student", {"text": "Student physical therapist"}),
    ("an assistant of another profession", {"text": "Physician assistant"}),
    ("a chiropractor's assistant", {"text": "Chiropractic assistant"}),
    ("a field, not a profession", {"text": "physical therapy"}),
    ("a part of a word", {"text": "opt-out"}),
    ("a code of no profession", coded(NUCC, "363L00000X")),
    ("a code of another system", coded("http://loinc.org", "225100000X")),
    ("a rehabilitation practitioner", coded(NUCC, "225400000X")),
    ("nothing", {}),
]


@pytest.mark.parametrize(("name", "function"), UNKNOWN, ids=[one[0] for one in UNKNOWN])
def test_no_profession(name: str, function: Json) -> None:
    """A function that names none of the professions leaves the roles empty, and the performer known."""
    found = line(given(by(function)))
    assert not found.roles, name
    assert found.performers == {"Practitioner/one"}


CONCEPTS: list[tuple[str, Json, str]] = [
    ("without a system", {"coding": [{"code": "225200000X"}]}, ASSISTANT),
    ("lower case", coded(NUCC, "225100000x"), THERAPIST),
    ("an OID", coded("urn:oid:2.16.840.1.113883.6.101", "2251X0800X"), THERAPIST),
    ("a local code", coded("https://ehr.example/roles", "PTA"), ASSISTANT),
    ("a display", {"coding": [{"system": "https://ehr.example", "code": "7", "display": "P.T.A."}]}, ASSISTANT),
    ("the code before the words", {**coded(NUCC, "111N00000X"), "text": "physician"}, "chiropractor"),
    ("an assistant's words before the code", {**coded("http://snomed.info/sct", "36682004"), "text": "PTA"}, ASSISTANT),
    ("a chiropractic physician", {"text": "Chiropractic physician"}, "chiropractor"),
]


@pytest.mark.parametrize(("name", "function", "role"), CONCEPTS, ids=[one[0] for one in CONCEPTS])
def test_profession_of_a_concept(name: str, function: Json, role: str) -> None:
    """A profession is read by its codes and by its words, however they are spelled."""
    assert line(given(by(function))).roles == {role}, name


NAMES: list[tuple[str, set[str]]] = [
    ("Bench, Dora DC", {"chiropractor"}),
    ("Quinn Quill, PT, DPT", {THERAPIST}),
    ("Quinn Quill, Physical Therapist", {THERAPIST}),
    ("Quinn Quill COTA/L", {"occupational-therapist-assistant"}),
    ("Quinn Quill, PT student", set()),
    ("Do, Kim", set()),
    ("Kim DO", set()),
    ("KIM DO", set()),
    ("Dr. Quinn Quill", set()),
]


@pytest.mark.parametrize(("display", "roles"), NAMES, ids=[one[0] for one in NAMES])
def test_printed_names(display: str, roles: set[str]) -> None:
    """Credentials count behind a name and in capitals; a name that only looks like one is none."""
    assert line(given({"actor": {"display": display}})).roles == roles


HEAD = "system,code,words,role,source\n"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("nucc,1,,dentist,s", "line 2: role: expected one of"),
        ("nucc,1,,physician,s\nnucc,1,,physician,s", "line 3: code: '1' stands here twice."),
        (",,md,physician,s\n,,md,physician,s", "line 3: words: 'md' stands here twice."),
        (",,M.D.,physician,s", "line 2: words: expected 'md'"),
        ("nucc,1,md,physician,s", "line 2: expected either a code of a system or words."),
        (",,,physician,s", "line 2: expected either a code of a system or words."),
        ("nuc,1,,physician,s", "line 2: system: expected one of code_systems.csv, not 'nuc'."),
    ],
)
def test_broken_table_of_professions(tmp_path: Path, rows: str, says: str) -> None:
    """A table of professions with a slip in it does not load, and says the file, the line and what was expected."""
    path = tmp_path / "professions.csv"
    path.write_text(HEAD + rows, encoding="utf-8")
    with pytest.raises(RuleFileError) as caught:
        read_professions(path)
    assert str(caught.value).startswith(f"professions.csv, {says}")


def test_every_profession_is_in_the_table() -> None:
    """The table knows every profession that the review tells apart."""
    assert {row["role"] for row in ROWS} == ROLES
