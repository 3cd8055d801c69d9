"""The NCCI tables that the rule books use: what the installation has imported, else what is embedded.

An imported pair file answers for every date of service, since the official file keeps what has ended. The
unlikely-units table states no dates: an imported one answers from the first day of its quarter, the embedded one before
that.
"""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import msgspec

from mappings import ncci_files, tables
from mappings.ncci import store
from mappings.ncci.rows import MueRow, PairRow
from mappings.ncci.store import Stored
from mappings.ncci_files import DatedLimit, DatedPair
from mappings.rule_book import Source

EMBEDDED = "2024q3"
"""The edition of the embedded tables."""
EMBEDDED_BEGINS = dt.date(2024, 7, 1)
FIRST_EDITION = dt.date(1996, 1, 1)
"""The day of the first NCCI edits: no imported file says anything of the time before."""

_NCCI = "https://www.cms.gov/medicare/coding-billing/national-correct-coding-initiative-ncci-edits"


class NcciTables(msgspec.Struct, frozen=True, eq=False):
    """Pair edits and unit limits with their dates. `whole_from` is the first day for which no pair is left out."""

    edition: str
    whole_from: dt.date
    pairs: tuple[DatedPair, ...]
    limits: tuple[DatedLimit, ...]


def embedded(sources: Mapping[str, Source]) -> NcciTables:
    """The tables that come with VisitCue; `sources` are the national book's."""
    return NcciTables(
        edition=f"ncci-{EMBEDDED}",
        whole_from=EMBEDDED_BEGINS,
        pairs=ncci_files.read_pairs(sources),
        limits=ncci_files.read_limits(sources),
    )


def installed(folder: Path, sources: Mapping[str, Source]) -> NcciTables:
    """The tables of an installation: the imported ones in `folder`, embedded where none is; raises RuleFileError."""
    built_in = embedded(sources)
    codes = tables.codes().keys()
    pairs, limits = store.stored_pairs(folder, codes), store.stored_limits(folder, codes)
    of_pairs, of_limits = (EMBEDDED if one is None else one.edition for one in (pairs, limits))
    return NcciTables(
        edition=f"ncci-{of_pairs}" if of_pairs == of_limits else f"ncci-{of_pairs}+mue-{of_limits}",
        whole_from=built_in.whole_from if pairs is None else FIRST_EDITION,
        pairs=built_in.pairs if pairs is None else _pairs(pairs),
        limits=built_in.limits if limits is None else _limits(limits, built_in.limits),
    )


def _pairs(stored: Stored[PairRow]) -> tuple[DatedPair, ...]:
    """The later of two rows of one pair stands last, so that it is the one that answers."""
    source = _source("NCCI procedure-to-procedure edits, practitioner file", stored)
    ordered = sorted(stored.rows, key=lambda row: row.since)
    return tuple(
        DatedPair(row.since, row.until, ncci_files.pair_of(row.column1, row.column2, row.indicator, source, "primary"))
        for row in ordered
    )


def _limits(stored: Stored[MueRow], before: tuple[DatedLimit, ...]) -> tuple[DatedLimit, ...]:
    source = _source("NCCI medically unlikely edits, practitioner table", stored)
    ended = stored.begins - dt.timedelta(days=1)
    earlier = [DatedLimit(one.since, ended, one.limit) for one in before if one.since <= ended]
    newer = [
        DatedLimit(stored.begins, None, ncci_files.limit_of(row.code, row.units, row.indicator, source))
        for row in stored.rows
    ]
    return (*earlier, *newer)


def _source(title: str, stored: Stored[PairRow] | Stored[MueRow]) -> Source:
    section = f"Edition {stored.edition.upper()} (imported: {', '.join(stored.files)})"
    return Source(title, section, _NCCI, stored.begins.isoformat(), stored.imported.isoformat(), "")
