"""The NCCI tables that the rule books use: what the installation has imported, else what is embedded.

An imported pair file answers for every date of service, since the official file keeps what has ended. The
unlikely-units table states no dates: each edition, imported or embedded, answers from the first day of its quarter to
the day before the next one that is known.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from mappings import ncci_files, tables
from mappings.ncci import editions, store
from mappings.ncci.rows import MueRow, PairRow
from mappings.ncci.store import Kind, Stored
from mappings.ncci_files import DatedLimit, DatedPair
from mappings.rule_book import Source

EMBEDDED = "2024q3"
"""The edition of the embedded tables."""
EMBEDDED_BEGINS = dt.date(2024, 7, 1)
FIRST_EDITION = dt.date(1996, 1, 1)
"""The day of the first NCCI edits: no imported file says anything of the time before."""

_NCCI = "https://www.cms.gov/medicare/coding-billing/national-correct-coding-initiative-ncci-edits"


class NcciTables(msgspec.Struct, frozen=True, eq=False):
    """Pair edits and unit limits with their dates. `whole_from` is the first day for which no pair is left out.

    `embedded_only` are the tables of which no edition was imported, so that nothing of later quarters is held.
    """

    edition: str
    whole_from: dt.date
    pairs: tuple[DatedPair, ...]
    limits: tuple[DatedLimit, ...]
    embedded_only: tuple[Kind, ...] = ()


def embedded(sources: Mapping[str, Source]) -> NcciTables:
    """The tables that come with VisitCue; `sources` are the national book's."""
    return NcciTables(
        edition=f"ncci-{EMBEDDED}",
        whole_from=EMBEDDED_BEGINS,
        pairs=ncci_files.read_pairs(sources),
        limits=ncci_files.read_limits(sources),
        embedded_only=("pairs", "limits"),
    )


def installed(folder: Path, sources: Mapping[str, Source]) -> NcciTables:
    """The tables of an installation: the imported ones in `folder`, embedded where none is; raises RuleFileError."""
    built_in = embedded(sources)
    codes = tables.codes().keys()
    pairs, limits = store.stored_pairs(folder, codes), store.stored_limits(folder, codes)
    of_pairs = EMBEDDED if pairs is None else pairs.edition
    of_limits = max((EMBEDDED, *(one.edition for one in limits)), key=editions.quarter)
    return NcciTables(
        edition=f"ncci-{of_pairs}" if of_pairs == of_limits else f"ncci-{of_pairs}+mue-{of_limits}",
        whole_from=built_in.whole_from if pairs is None else FIRST_EDITION,
        pairs=built_in.pairs if pairs is None else _pairs(pairs),
        limits=_limits(limits, built_in.limits),
        embedded_only=(*(("pairs",) if pairs is None else ()), *(() if limits else ("limits",))),
    )


def _pairs(stored: Stored[PairRow]) -> tuple[DatedPair, ...]:
    """Of two rows of one pair the one that stands last answers: the one that no modifier helps, then the later one."""
    source = _source("NCCI procedure-to-procedure edits, practitioner file", stored)
    ordered = sorted(stored.rows, key=lambda row: (-row.indicator, row.since))
    return tuple(
        DatedPair(row.since, row.until, ncci_files.pair_of(row.column1, row.column2, row.indicator, source, "primary"))
        for row in ordered
    )


def _limits(stored: tuple[Stored[MueRow], ...], built_in: tuple[DatedLimit, ...]) -> tuple[DatedLimit, ...]:
    """The limits of every edition; that of the embedded one is taken out where the same was imported."""
    found = []
    if EMBEDDED not in {one.edition for one in stored}:
        ended = _last_day(EMBEDDED_BEGINS, stored)
        found += [DatedLimit(one.since, _earlier(one.until, ended), one.limit) for one in built_in]
    for edition, until in spans(stored):
        source = _source("NCCI medically unlikely edits, practitioner table", edition)
        for row in edition.rows:
            limit = ncci_files.limit_of(row.code, row.units, row.indicator, source)
            found.append(DatedLimit(edition.begins, until, limit))
    return tuple(one for one in found if one.until is None or one.since <= one.until)


def spans(stored: tuple[Stored[MueRow], ...]) -> Iterator[tuple[Stored[MueRow], dt.date | None]]:
    """Each imported edition of the units with the last day for which it answers, None for the newest that is known."""
    return ((one, _last_day(one.begins, stored)) for one in stored)


def _last_day(begins: dt.date, stored: tuple[Stored[MueRow], ...]) -> dt.date | None:
    """The day before the next edition begins, imported or embedded; None for the newest."""
    every = (EMBEDDED_BEGINS, *(one.begins for one in stored))
    following = min((one for one in every if one > begins), default=None)
    return following - dt.timedelta(days=1) if following else None


def _earlier(one: dt.date | None, other: dt.date | None) -> dt.date | None:
    return min((day for day in (one, other) if day is not None), default=None)


def _source(title: str, stored: Stored[PairRow] | Stored[MueRow]) -> Source:
    section = f"Edition {stored.edition.upper()} (imported: {', '.join(stored.files)})"
    return Source(title, section, _NCCI, stored.begins.isoformat(), stored.imported.isoformat(), "")
