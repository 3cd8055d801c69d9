"""Earlier visits that no Procedure records: by Encounters and by Claims that were sent; and the start of an episode.

Most encounters of a patient are not therapy. One counts only if care was given (finished, and not in a hospital) and if
its type, its service or somebody who took part says that it was care of ours; what cannot be told is not counted.
"""

import datetime as dt
import re

import msgspec

from mappings import tables
from mappings.fhir import coding
from mappings.fhir.datatypes import Concept, Party, Period, Worded, WordedCoding
from mappings.fhir.dates import day_of
from mappings.fhir.financial import Claim
from mappings.fhir.history import Beside, Episode
from mappings.fhir.practitioners import person_of
from mappings.fhir.professions import roles_of
from mappings.fhir.reader import Records, read_part
from mappings.fhir.resources import Encounter, EpisodeOfCare
from mappings.visit import ROLES

GIVEN = frozenset({"finished", "completed", "discharged"})
"""The status of an encounter in which care was given: R4's, and R5's two."""

NOT_AMBULATORY = frozenset({"EMER", "IMP", "ACUTE", "NONAC", "OBSENC", "PRENC", "SS"})
OURS = ROLES - {"physician"}

_THERAPY = re.compile(
    r"\b(?:physical therap|physiotherap|occupational therap|speech therap|speech.language|chiropract|massage therap"
    r"|spinal manipulation|(?:pt|ot|slp|rehab|rehabilitation)"
    r" (?:visit|treatment|session|follow|eval|therapy|outpatient))"
)
_NOT_CARE = re.compile(
    r"\b(?:referrals?|no.?shows?|cancel\w*|telephone|phone|messages?|refills?|orders?|documentation|admin\w*|imaging|lab)\b"
)


class Participant(msgspec.Struct):
    """Who took part: `individual` in R4, `actor` in R5."""

    type: list[Worded] = []
    individual: Party | None = None
    actor: Party | None = None


_CLASS = msgspec.json.Decoder(WordedCoding | list[Worded])
_CONCEPTS = msgspec.json.Decoder(list[Worded])
_SERVICES = msgspec.json.Decoder(Worded | list[Worded])
_PARTICIPANTS = msgspec.json.Decoder(list[Participant])


def beside(records: Records, here: str, recorded: frozenset[str]) -> Beside:
    """What was sent beside Procedures of earlier visits: `here` is the encounter in context, `recorded` those that
    Procedures belong to, whose days these tell."""
    visits = []
    for one in records.all(Encounter):
        if one.status in GIVEN and one.id not in recorded and (one.id or "") != here:
            name = f"Encounter/{one.id or '?'}"
            period = one.period or one.actual_period
            day = day_of(period.start) if period else None
            if day is not None:
                visits += [(day, code) for code in _care(one, name, records)]
    for claim in records.all(Claim):
        visits += _billed(claim)
    return Beside(tuple(visits), tuple(_episodes(records, here)))


def is_of_others(records: Records, here: str) -> bool:
    """Whether the encounter in context came, and is known not to be care of ours.

    It is where it is in a hospital, where it is no care at all, and where everybody who took part has a profession
    that is known and is none of ours. An encounter that only says too little may be ours.
    """
    encounter = records.get(Encounter, f"Encounter/{here}")
    if encounter is None:
        return False
    name = f"Encounter/{here}"
    if _in_hospital(encounter, name, records):
        return True
    if _care(encounter, name, records):
        return False
    kinds = _kinds(encounter, name, records)
    return any(_NOT_CARE.search(words) for one in kinds for words in _words(one)) or _by_others(
        encounter, name, records
    )


def _in_hospital(encounter: Encounter, name: str, records: Records) -> bool:
    kind = read_part(encounter.class_, _CLASS, f"{name}.class", records)
    classes = [kind] if isinstance(kind, WordedCoding) else [one for group in kind or [] for one in group.coding]
    return any((one.code or "").upper() in NOT_AMBULATORY for one in classes)


def _care(encounter: Encounter, name: str, records: Records) -> list[str]:
    """The codes of what an encounter gave ("" where it names none); nothing where it is not known as care of ours."""
    if _in_hospital(encounter, name, records):
        return []
    types = read_part(encounter.type, _CONCEPTS, f"{name}.type", records) or []
    codes = [code for one in types if (code := _code(one)) in tables.codes()]
    known = tables.codes()
    if any(not known[code].is_em for code in codes):
        return codes
    every = _kinds(encounter, name, records)
    if any(_NOT_CARE.search(words) for one in every for words in _words(one)):
        return []
    if any(_is_therapy(one) for one in every) or _by_ours(encounter, name, records):
        return codes or [""]
    return []


def _kinds(encounter: Encounter, name: str, records: Records) -> list[Worded]:
    """The types and services of an encounter."""
    types = read_part(encounter.type, _CONCEPTS, f"{name}.type", records) or []
    service = read_part(encounter.service_type, _SERVICES, f"{name}.serviceType", records)
    return [*types, *(service if isinstance(service, list) else [service] if service else [])]


def _code(one: Worded) -> str:
    return coding.billed(Concept(coding=[*one.coding], text=one.text)).code


def _words(one: Worded) -> list[str]:
    if one.concept is not None:
        return _words(one.concept)
    return [words.lower() for words in (one.text, *[code.display for code in one.coding]) if words]


def _is_therapy(one: Worded) -> bool:
    if one.concept is not None:
        return _is_therapy(one.concept)
    return any(_THERAPY.search(words) for words in _words(one)) or not OURS.isdisjoint(roles_of(one))


def _by_ours(encounter: Encounter, name: str, records: Records) -> bool:
    """Whether a therapist or a chiropractor took part."""
    return any(not OURS.isdisjoint(roles) for roles in _roles(encounter, name, records))


def _by_others(encounter: Encounter, name: str, records: Records) -> bool:
    """Whether somebody took part, and everybody who did has a profession that is known and none of ours."""
    took_part = _roles(encounter, name, records)
    return bool(took_part) and all(roles and OURS.isdisjoint(roles) for roles in took_part)


def _roles(encounter: Encounter, name: str, records: Records) -> list[frozenset[str]]:
    """The professions of each practitioner who took part."""
    took_part = read_part(encounter.participant, _PARTICIPANTS, f"{name}.participant", records) or []
    people = [person_of(one.individual or one.actor, [], records) for one in took_part]
    return [person.roles for person in people if person is not None]


def _billed(claim: Claim) -> list[tuple[dt.date, str]]:
    """What a claim that went out bills; a claim of office visits alone may be anybody's."""
    if claim.status != "active" or claim.use not in (None, "claim"):
        return []
    known = tables.codes()
    found = []
    for item in claim.item:
        code = coding.billed(item.product_or_service).code
        day = day_of(item.serviced_date) or _start(item.serviced_period) or _start(claim.billable_period)
        if code in known and day is not None:
            found.append((day, code))
    return found if any(not known[code].is_em for _, code in found) else []


def _start(period: Period | None) -> dt.date | None:
    return day_of(period.start) if period else None


def _episodes(records: Records, here: str) -> list[Episode]:
    """The episodes of care of ours: that of the encounter in context, and those whose type says so."""
    encounter = records.get(Encounter, f"Encounter/{here}")
    named = {records.id_of(one, "EpisodeOfCare") for one in encounter.episode_of_care} if encounter else set()
    found = []
    for one in records.all(EpisodeOfCare):
        if one.status in ("cancelled", "entered-in-error", "planned", "waitlist") or one.period is None:
            continue
        start = day_of(one.period.start)
        ours = one.id in named or any(map(_is_therapy, one.type))
        if start is not None and ours:
            found.append(Episode(start, day_of(one.period.end)))
    return found
