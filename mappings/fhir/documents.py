"""Notes of a visit as a whole: DocumentReference with its attachments, Composition, and what is noted at observations.

A document is taken for a visit by its encounter and its day; its text is taken out of plain text, Markdown, HTML, RTF
and XML. What cannot be read so (a scan, a Binary that was not sent) is kept by name: it may say what the record lacks.
"""

import base64
import binascii
import csv
import datetime as dt
import functools
import re

import msgspec

from mappings import plain_text, tables
from mappings.fhir.base import NOT_SENT
from mappings.fhir.datatypes import Annotation, Concept, Party, Period, Reference, Worded
from mappings.fhir.dates import day_of
from mappings.fhir.reader import Records, read_part, resolve
from mappings.fhir.resources import Binary, Composition, DocumentReference, Observation
from mappings.visit import Document, Gap

WITHDRAWN = frozenset({"entered-in-error", "superseded", "cancelled", "deprecated"})
MOST = 100_000
"""Characters of all notes of one visit; what is beyond them is not searched."""

_WHITE = re.compile(r"\s+")


class _Attachment(msgspec.Struct, rename="camel"):
    content_type: str | None = None
    data: str | None = None
    url: str | None = None


class Content(msgspec.Struct):
    attachment: _Attachment | None = None


class Context(msgspec.Struct):
    """R4's context of a document."""

    encounter: list[Reference] = []
    period: Period | None = None


class Relation(msgspec.Struct):
    code: str | Concept | None = None
    target: Reference | None = None


class Narrative(msgspec.Struct):
    div: str = ""


class Section(msgspec.Struct):
    title: str = ""
    text: Narrative | None = None
    section: "list[Section]" = []


_CONTENTS = msgspec.json.Decoder(list[Content])
_CONTEXT = msgspec.json.Decoder(Context | list[Reference])
_RELATIONS = msgspec.json.Decoder(list[Relation])
_NARRATIVE = msgspec.json.Decoder(Narrative)
_SECTIONS = msgspec.json.Decoder(list[Section])
_NOTES = msgspec.json.Decoder(list[Annotation])


class Written(msgspec.Struct, frozen=True):
    """A document with what decides to which visit it belongs: its encounters, the day it tells of, that of writing."""

    source: DocumentReference | Composition
    ref: str
    encounters: frozenset[str]
    of: dt.date | None
    on: dt.date | None


class Texts(msgspec.Struct, frozen=True):
    """The notes of a visit, and those whose words could not be had, each with the reason."""

    documents: tuple[Document, ...] = ()
    unread: tuple[Gap, ...] = ()


NONE = Texts()


def written(records: Records) -> list[Written]:
    """The documents that were sent and that stand."""
    found = []
    for one in records.all(DocumentReference):
        if one.status in WITHDRAWN or one.doc_status in WITHDRAWN or is_no_note(one.type):
            continue
        ref = f"DocumentReference/{one.id or '?'}"
        context = read_part(one.context, _CONTEXT, f"{ref}.context", records)
        named = context.encounter if isinstance(context, Context) else context or []
        period = context.period if isinstance(context, Context) else one.period
        here = frozenset(records.id_of(encounter, "Encounter") for encounter in named) - {""}
        found.append(Written(one, ref, here, day_of(period.start) if period else None, day_of(one.date)))
    for note in records.all(Composition):
        if note.status not in WITHDRAWN:
            here = frozenset({records.id_of(note.encounter, "Encounter")}) - {""}
            found.append(Written(note, f"Composition/{note.id or '?'}", here, None, day_of(note.date)))
    replaced = _replaced(records) if found else frozenset[str]()
    return [one for one in found if one.ref not in replaced]


def _replaced(records: Records) -> frozenset[str]:
    """The documents that others say they replace."""
    gone = set()
    for one in records.all(DocumentReference):
        if one.relates_to is NOT_SENT or one.status in WITHDRAWN:
            continue
        ref = f"DocumentReference/{one.id or '?'}"
        for relation in read_part(one.relates_to, _RELATIONS, f"{ref}.relatesTo", records) or []:
            code = relation.code
            names = {code} if isinstance(code, str) else {coding.code for coding in code.coding} if code else set()
            if "replaces" in names:
                gone.add(f"DocumentReference/{records.id_of(relation.target, 'DocumentReference')}")
    return frozenset(gone)


@functools.cache
def _no_notes() -> tuple[frozenset[str], re.Pattern[str]]:
    """The types of documents that are no notes of a visit (document_types.csv), by LOINC code and by printed words."""
    with (tables.FOLDER / "document_types.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    words = "|".join(re.escape(row["words"]) for row in rows if row["words"])
    return frozenset(row["code"] for row in rows if row["code"]), re.compile(rf"\b(?:{words})\b")


def is_no_note(concept: Worded | None) -> bool:
    """Whether a type of document says that it is no note of a visit: a consent, a report, an instruction sheet."""
    if concept is None:
        return False
    codes, words = _no_notes()
    if any(coding.code in codes for coding in concept.coding):
        return True
    printed = [concept.text, *[coding.display for coding in concept.coding]]
    return any(words.search(text.lower()) for text in printed if text)


def texts_of(
    found: list[Written], encounters: frozenset[str], day: dt.date, other_days: frozenset[dt.date], records: Records
) -> Texts:
    """The notes of a visit; `other_days` are further days on which its encounters went on, with notes of their own."""
    documents: list[Document] = []
    unread: list[Gap] = []
    room = MOST
    for one in found:
        if not _is_of(one, encounters, day, other_days):
            continue
        text = _text(one, records)
        if isinstance(text, str) and len(text) > room:
            text = Gap(one.ref, "it is longer than what is searched")
        if isinstance(text, Gap):
            unread.append(text)
        elif text.strip():
            room -= len(text)
            documents.append(Document(one.ref, text))
    documents += _at_observations(encounters, day, records)
    return Texts(tuple(documents), tuple(unread))


def _is_of(one: Written, encounters: frozenset[str], day: dt.date, other_days: frozenset[dt.date]) -> bool:
    """Whether a document is about a visit. In UTC the evening stands under the next day."""
    if one.encounters and encounters and one.encounters.isdisjoint(encounters):
        return False
    if one.of is not None:
        return 0 <= (one.of - day).days <= 1 and (one.of == day or one.of not in other_days)
    if one.on is None:
        return bool(one.encounters) or not other_days
    late = (one.on - day).days
    if late < 0:
        return False
    if late <= 1:
        return late == 0 or one.on not in other_days
    return bool(one.encounters) and not any(day < other <= one.on for other in other_days)


def _text(one: Written, records: Records) -> str | Gap:
    if isinstance(one.source, Composition):
        sections = read_part(one.source.section, _SECTIONS, f"{one.ref}.section", records)
        narrative = read_part(one.source.text, _NARRATIVE, f"{one.ref}.text", records)
        return _of_sections(sections or []) or (plain_text.plain(narrative.div) if narrative else "")
    contents = read_part(one.source.content, _CONTENTS, f"{one.ref}.content", records)
    if not contents:
        return Gap(one.ref, "it was sent without its text")
    first: Gap | None = None
    for place, content in enumerate(contents):
        path = f"{one.ref}.content[{place}].attachment"
        text = _of_attachment(content.attachment or _Attachment(), one.source, path, records)
        if isinstance(text, str):
            return text
        first = first or Gap(one.ref, text.reason)
    return first or Gap(one.ref, "it was sent without its text")


def _of_sections(sections: list[Section]) -> str:
    parts = []
    for one in sections:
        words = plain_text.plain(one.text.div) if one.text else ""
        parts += [f"## {one.title}:" if one.title else "", words, _of_sections(one.section)]
    return "\n".join([part for part in parts if part])


def _of_attachment(attachment: _Attachment, document: DocumentReference, path: str, records: Records) -> str | Gap:
    data, kind = attachment.data, attachment.content_type or ""
    if data is None and attachment.url:
        url = attachment.url
        binary = resolve(Binary, Party(url), document.contained, records)
        if binary is None and url.startswith("data:"):
            head, _, data = url.partition(";base64,")
            kind = kind or head.removeprefix("data:")
        elif binary is not None:
            data, kind = binary.data, kind or binary.content_type or ""
    if data is None:
        return Gap(path, "its text was not sent along")
    if len(data) > plain_text.LONGEST * 3 // 2:
        return Gap(path, "it is longer than what is searched")
    packed = _WHITE.sub("", data)
    try:
        read = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        records.gap(f"{path}.data", "expected base64")
        return Gap(path, "its text is not in base64")
    text = plain_text.of_bytes(read, kind)
    return Gap(path, f"a scan or picture ({kind or 'no type stated'}) cannot be read") if text is None else text


def _at_observations(encounters: frozenset[str], day: dt.date, records: Records) -> list[Document]:
    """What is noted at the observations of a visit."""
    found = []
    for one in records.all(Observation):
        if one.note is NOT_SENT or one.status in WITHDRAWN:
            continue
        period = one.effective_period
        seen = day_of(one.effective_date_time or (period.start if period else None))
        here = records.id_of(one.encounter, "Encounter")
        if (here and encounters and here not in encounters) or (seen is not None and seen != day):
            continue
        ref = f"Observation/{one.id or '?'}"
        notes = read_part(one.note, _NOTES, f"{ref}.note", records) or []
        found += [Document(ref, plain_text.plain(note.text)) for note in notes if note.text]
    return found
