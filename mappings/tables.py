"""The lookup tables, read once from the CSV files in `mappings/tables`.

Each function answers from memory. A code-system alias, a body site, a unit of time: one row in one file.
"""

import csv
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from mappings.errors import RuleFileError

FOLDER = Path(__file__).parent / "tables"

MASSAGE = "97124"

CODE_KINDS = frozenset(
    {
        "therapeutic-procedure", "modality-attended", "modality-supervised", "group", "evaluation",
        "evaluation-management", "cmt-spinal", "cmt-extraspinal", "unlisted", "dry-needling", "acupuncture",
        "test", "orthotic", "other",
    }
)  # fmt: skip


class Code(msgspec.Struct, frozen=True):
    """A billing code: the number, our own short label (never the licensed descriptor), and how it is billed.

    `timed` codes are billed in 15-minute units; `one_on_one` ones need the practitioner's whole attention;
    `setting` ones are given by a device whose settings belong in the note. By their kind `is_cmt` ones are
    manipulations, `is_em` ones office visits, `is_therapy` ones therapies or modalities.
    """

    code: str
    label: str
    kind: str
    timed: bool
    always_therapy: bool
    one_on_one: bool
    setting: bool

    is_cmt: bool
    is_em: bool
    is_therapy: bool


THERAPIES = ("therapeutic-procedure", "modality-attended", "modality-supervised", "group")
"""Kinds of code that a network counts as therapies or modalities of a visit."""


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@functools.cache
def codes() -> dict[str, Code]:
    """Every billing code that VisitCue knows, by number (codes.csv)."""
    return read_codes(FOLDER / "codes.csv")


def read_codes(path: Path) -> dict[str, Code]:
    """The billing codes of a table; raises RuleFileError with the line that is not as it must be."""
    found: dict[str, Code] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            where = f"{path.name}, line {number}"
            if row["code"] in found:
                raise RuleFileError(f"{where}: code: {row['code']!r} stands here twice.")
            if row["kind"] not in CODE_KINDS:
                raise RuleFileError(f"{where}: kind: expected one of {sorted(CODE_KINDS)}, not {row['kind']!r}.")
            found[row["code"]] = _code(where, row)
    return found


def _code(where: str, row: dict[str, str]) -> Code:
    return Code(
        code=row["code"],
        label=row["label"],
        kind=row["kind"],
        timed=_yes(where, row, "timed"),
        always_therapy=_yes(where, row, "always_therapy"),
        one_on_one=_yes(where, row, "one_on_one"),
        setting=_yes(where, row, "setting"),
        is_cmt=row["kind"] in ("cmt-spinal", "cmt-extraspinal"),
        is_em=row["kind"] == "evaluation-management",
        is_therapy=row["kind"] in THERAPIES,
    )


def _yes(where: str, row: dict[str, str], column: str) -> bool:
    if row[column] not in ("yes", "no"):
        raise RuleFileError(f"{where}: {column}: expected yes or no, not {row[column]!r}.")
    return row[column] == "yes"


@functools.cache
def manipulations() -> frozenset[str]:
    """The codes of manipulations, spinal and other."""
    return frozenset(number for number, code in codes().items() if code.is_cmt)


@functools.cache
def code_systems() -> dict[str, str]:
    """Code-system spellings, lower case without a trailing slash, to our name of the system."""
    return {row["alias"]: row["system"] for row in _rows("code_systems.csv")}


_VERSION = re.compile(r"\|.*|/version/.*|(?<=snomed\.info/sct)/\d+.*", re.DOTALL)
"""A version behind the address of a code system: as canonicals have it, or as an edition of SNOMED CT."""


@functools.lru_cache(maxsize=4096)
def system_name(uri: str) -> str:
    """Our name of a code system ("cpt", "hcpcs", "icd10cm" ...) of any version, "" for one that we do not know."""
    address = _VERSION.sub("", uri.strip().lower()).rstrip("/")
    return code_systems().get(address, "")


@functools.cache
def extensions() -> dict[str, str]:
    """Extensions that are read, by URL, to what they hold: "minutes" of a service or a "modifier"."""
    return {row["url"]: row["holds"] for row in _rows("extensions.csv")}


@functools.cache
def seconds_per_unit() -> dict[str, int]:
    """Spellings of units of time, lower case, to seconds."""
    return {row["alias"]: int(row["seconds"]) for row in _rows("minute_units.csv")}


@functools.cache
def region_parents() -> dict[str, str]:
    """Every region of the closed list, to the region it is a part of ("" for none)."""
    return {row["region"]: row["parent"] for row in _rows("regions.csv")}


@functools.cache
def spinal_regions() -> frozenset[str]:
    """The five regions that count towards the level of a spinal manipulation."""
    return frozenset(row["region"] for row in _rows("regions.csv") if row["spinal"] == "yes")


@functools.cache
def regions_overlap(one: str, other: str) -> bool:
    """Whether two regions are the same, or one is a part of the other (knee and lower extremity)."""
    parents = region_parents()
    return one == other or parents.get(one, "") == other or parents.get(other, "") == one


@functools.cache
def overlapping(region: str) -> frozenset[str]:
    """Every region that overlaps with one: itself, its parts, and what it is a part of."""
    return frozenset(other for other in (region, *region_parents()) if regions_overlap(region, other))


@functools.cache
def regions_near(one: str, other: str) -> bool:
    """Whether two regions overlap, or are parts of one (knee and ankle): nobody calls them distinct unasked."""
    if UNREAD in (one, other):
        return True
    parents = region_parents()
    return regions_overlap(one, other) or bool(parents.get(one) and parents.get(one) == parents.get(other))


class Site(msgspec.Struct, frozen=True):
    """What a body site says: its regions, whether it names a muscle or joint, and its sides ("left", "right")."""

    regions: frozenset[str]
    specific: bool
    sides: frozenset[str] = frozenset()


@functools.cache
def body_sites() -> dict[tuple[str, str], Site]:
    """Coded body sites by (system, code)."""
    return {
        (row["system"], row["code"]): Site(
            frozenset(row["regions"].split()), row["specific"] == "yes", frozenset(row["sides"].split())
        )
        for row in _rows("body_sites.csv")
    }


@functools.cache
def _site_words() -> tuple[re.Pattern[str], dict[str, Site]]:
    sites = {
        row["words"]: Site(frozenset(row["regions"].split()), row["specific"] == "yes")
        for row in _rows("body_site_words.csv")
    }
    return _any_of(sites), sites


def _any_of(phrases: dict[str, Site] | dict[str, frozenset[str]]) -> re.Pattern[str]:
    longest_first = sorted(phrases, key=len, reverse=True)
    return re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![\w-])")


@functools.lru_cache(maxsize=4096)
def site_in_words(text: str) -> Site | None:
    """The regions that a printed body site names, or None where no word is known.

    Where other words stand beside the known ones, a part of the site was not read: UNREAD is among the regions then,
    so that nobody takes what was read for all of it.
    """
    pattern, sites = _site_words()
    printed = " ".join(text.lower().split())
    found = [sites[match] for match in pattern.findall(printed)]
    if not found:
        return None
    regions = frozenset[str]().union(*(site.regions for site in found))
    rest = _WORD.findall(pattern.sub(" ", printed))
    if any(word not in _BESIDE_A_SITE for word in rest):
        regions |= {UNREAD}
    return Site(regions, any(site.specific for site in found), sides_in_words(printed))


_SIDES = {
    "left": frozenset({"left"}), "lt": frozenset({"left"}), "right": frozenset({"right"}), "rt": frozenset({"right"}),
    "bilateral": frozenset({"left", "right"}), "bilaterally": frozenset({"left", "right"}),
    "both": frozenset({"left", "right"}),
}  # fmt: skip


def sides_in_words(printed: str) -> frozenset[str]:
    """The sides that words name, empty where they name none."""
    return frozenset[str]().union(*(_SIDES[word] for word in _WORD.findall(printed.lower()) if word in _SIDES))


UNREAD = "unread"
"""Stands for a region that was named and could not be read: it may be any."""

_WORD = re.compile(r"[a-z]{2,}")
_BESIDE_A_SITE = frozenset(
    """
    left right bilateral both lt rt side sided upper lower mid middle medial lateral anterior posterior proximal distal
    superior inferior dorsal ventral deep superficial region regions area areas zone level levels segment segments
    vertebra vertebrae vertebral facet facets muscle muscles musculature joint joints tissue tissues soft spine spinal
    paraspinal paraspinals back column structure structures body part parts entire complex capsule tendon tendons
    ligament ligaments fascia bone and or the of at to in on with
    """.split()  # noqa: SIM905 - a list of a hundred quoted words is harder to read
)
"""Words that may stand beside the name of a site without naming another one."""


@functools.cache
def _diagnosis_prefixes() -> dict[str, frozenset[str]]:
    return {row["prefix"]: frozenset(row["regions"].split()) for row in _rows("diagnosis_regions.csv")}


@functools.lru_cache(maxsize=4096)
def diagnosis_regions(icd10: str) -> frozenset[str]:
    """The regions that an ICD-10-CM code names (longest prefix wins), empty where it names none."""
    table = _diagnosis_prefixes()
    plain = icd10.replace(".", "").upper()
    for length in range(len(plain), 2, -1):
        regions = table.get(plain[:length])
        if regions is not None:
            return regions
    return frozenset()


@functools.cache
def observation_kinds() -> dict[tuple[str, str], frozenset[str]]:
    """Coded observations by (system, code), to the kinds of evidence they are."""
    kinds: dict[tuple[str, str], frozenset[str]] = {}
    for row in _rows("observations.csv"):
        key = (row["system"], row["code"])
        kinds[key] = kinds.get(key, frozenset()) | {row["kind"]}
    return kinds


@functools.cache
def _observation_words() -> tuple[re.Pattern[str], dict[str, frozenset[str]]]:
    words: dict[str, frozenset[str]] = {}
    for row in _rows("observation_words.csv"):
        words[row["words"]] = words.get(row["words"], frozenset()) | {row["kind"]}
    return _any_of(words), words


@functools.lru_cache(maxsize=4096)
def observation_in_words(text: str) -> frozenset[str]:
    """The kinds of evidence that an observation's printed name shows."""
    pattern, words = _observation_words()
    return frozenset().union(*(words[match] for match in pattern.findall(text.lower())))
