"""Everything that touches one billing code for a payer on a date of service, each part with its source.

Which rule of the books touches which code is decided in `plugin.touches`.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec

from mappings import books_in_force, tables
from mappings.ncci.rows import PairRow
from mappings.ncci.store import Stored
from mappings.ncci_files import DELETED, DatedPair
from mappings.ncci_in_force import NcciTables
from mappings.rule_book import Pair, RuleBook, Source
from mappings.tables import Code
from plugin.book_values import Span, Value, asked, meaning, values
from plugin.explain_imported import COUNTED, MEANS, ImportedPairs, other_pairs
from plugin.touches import why


class NotExplainedError(Exception):
    """There is nothing to explain; the message says why in one sentence."""


class TouchingRule(msgspec.Struct, frozen=True):
    """A rule in force that touches the code: what it is about, why it touches, and which layer says it when."""

    rule: str
    meaning: str
    why: str
    value: Any
    book: str
    since: dt.date
    until: dt.date | None
    confidence: str
    informs_only: bool
    source: Source


class TouchingPair(msgspec.Struct, frozen=True):
    """A pair edit in which the code stands. `means` explains the indicator, `modifier` says where which one goes."""

    column1: str
    column2: str
    indicator: int
    means: str
    modifier: str
    since: dt.date
    until: dt.date | None
    confidence: str
    informs_only: bool
    source: Source


class UnitLimit(msgspec.Struct, frozen=True):
    """The most units of the code (MUE); `applies` says whether this payer is known to use it."""

    units: int
    indicator: int
    means: str
    applies: str
    since: dt.date
    until: dt.date | None
    informs_only: bool
    source: Source


class AskedElement(msgspec.Struct, frozen=True):
    """A documentation element asked for, with the layer that gives it its level."""

    element: str
    level: str
    book: str
    of_visit: bool
    when: str
    label: str
    confidence: str
    informs_only: bool
    source: Source


class Explanation(msgspec.Struct, frozen=True):
    """A code on a date of service for a payer. `other_pairs` are rows that do not answer: they have ended, or not
    begun, or stand beside a stricter one.

    `pairs_whole_from` is the first day for which no pair is left out. Of the tables in `embedded_only` no later
    quarter is held. `imported` are pairs with codes that we do not review.
    """

    code: Code
    payer: str
    title: str
    layers: tuple[str, ...]
    edition: str
    on: dt.date
    rules: tuple[TouchingRule, ...]
    pairs: tuple[TouchingPair, ...]
    other_pairs: tuple[TouchingPair, ...]
    pairs_whole_from: dt.date
    embedded_only: tuple[str, ...]
    imported: ImportedPairs | None
    mue: UnitLimit | None
    documentation: tuple[AskedElement, ...]


def explained(
    number: str, payer: str, on: dt.date, ncci: NcciTables | None = None, imported: Stored[PairRow] | None = None
) -> Explanation:
    """What touches a code; raises NotExplainedError and UnknownPayerError. `imported` are all stored rows of it."""
    layers = books_in_force.chain(payer)
    code = tables.codes().get(number.strip().upper())
    if code is None:
        raise NotExplainedError(f"{number!r} is not in the table of codes; `visitcue codes` lists those that are.")
    if on < books_in_force.begins():
        raise NotExplainedError(f"The rule books begin on {books_in_force.begins()}; nothing is known of {on}.")
    ncci = ncci or books_in_force.embedded_ncci()
    book, in_force = books_in_force.rule_book(payer, on, ncci), values(layers, on)
    return Explanation(
        code=code,
        payer=payer,
        title=book.title,
        layers=tuple(layer.id for layer in layers),
        edition=book.edition,
        on=on,
        rules=tuple(_rules(code, in_force, book)),
        pairs=tuple(_pairs(code, in_force, book, ncci)),
        other_pairs=tuple(_other_pairs(code, book, ncci)),
        pairs_whole_from=ncci.whole_from,
        embedded_only=ncci.embedded_only,
        imported=other_pairs(imported, on),
        mue=_limit(code, book, ncci),
        documentation=tuple(_elements(code, book)),
    )


def _rules(code: Code, in_force: tuple[Value, ...], book: RuleBook) -> Iterator[TouchingRule]:
    for one in in_force:
        rule = one.dated.rule
        if reason := why(one.key, code, rule.value, book):
            yield TouchingRule(
                rule=one.key,
                meaning=meaning(one.key),
                why=reason,
                value=rule.value,
                book=one.book,
                since=one.dated.since,
                until=one.dated.until,
                confidence=rule.confidence,
                informs_only=not rule.may_advise,
                source=rule.source,
            )


def _pairs(code: Code, in_force: tuple[Value, ...], book: RuleBook, ncci: NcciTables) -> Iterator[TouchingPair]:
    """The pairs in force in which the code stands, as the rule book has them."""
    spans = {
        (one.pair.column1, one.pair.column2): Span(one.since, one.until)
        for one in _tabled(code, ncci)
        if one.in_force(book.on)
    }
    for one in in_force:
        if one.key == "own_pairs":
            spans |= {columns: one.span for columns in one.dated.rule.value if code.code in columns}
    for columns, span in sorted(spans.items()):
        yield _pair(book.pairs[columns], span, book)


def _other_pairs(code: Code, book: RuleBook, ncci: NcciTables) -> Iterator[TouchingPair]:
    """The rows that do not answer: of another date, or beside a row of the same pair that is stricter, or later."""
    answers = {(one.pair.column1, one.pair.column2): one for one in _tabled(code, ncci) if one.in_force(book.on)}
    for one in _tabled(code, ncci):
        if answers.get((one.pair.column1, one.pair.column2)) is not one:
            yield _pair(one.pair, Span(one.since, one.until), book)


def _tabled(code: Code, ncci: NcciTables) -> Iterator[DatedPair]:
    return (one for one in ncci.pairs if code.code in (one.pair.column1, one.pair.column2))


def _pair(pair: Pair, span: Span, book: RuleBook) -> TouchingPair:
    return TouchingPair(
        column1=pair.column1,
        column2=pair.column2,
        indicator=pair.indicator,
        means=_indicator(pair),
        modifier=_modifier(pair, book),
        since=span.since,
        until=span.until,
        confidence=pair.rule.confidence,
        informs_only=not pair.rule.may_advise,
        source=pair.rule.source,
    )


def _indicator(pair: Pair) -> str:
    if pair.indicator != DELETED and not pair.rule.may_advise:
        return "sources disagree whether the two are ever paid together"
    return MEANS[pair.indicator]


def _modifier(pair: Pair, book: RuleBook) -> str:
    """Where which modifier goes, so that a pair is paid."""
    if pair.indicator == DELETED or not pair.rule.may_advise:
        return "none is advised"
    if not pair.indicator:
        return "no modifier helps"
    codes = tables.codes()
    visits = [one for one in (pair.column2, pair.column1) if codes[one].is_em]
    if len(visits) == 1:
        never = book.never_with_25
        refuses = never is not None and visits[0] in never.value
        return f"{visits[0]} takes no 25" if refuses else f"25 on {visits[0]}, for a significant, separate evaluation"
    if visits:
        return "59 is not for office visits, and none is advised"
    by = book.distinct_by
    marks = sorted(set(by.value.values())) if by is not None else ["59"]
    return f"{' or '.join(marks)} on {pair.column2}"


def _limit(code: Code, book: RuleBook, ncci: NcciTables) -> UnitLimit | None:
    limit = book.limits.get(code.code)
    if limit is None:
        return None
    *_, dated = (one for one in ncci.limits if one.limit.code == code.code and one.in_force(book.on))
    rule = book.mue if book.mue is not None and book.mue.value else None
    means = (
        f"at most {limit.units} {COUNTED[limit.indicator]}"
        if limit.units
        else "Medicare allows none (bundled, or not covered); no limit for others"
    )
    informs = rule is None or not rule.may_advise
    applies = "not looked at for this payer" if rule is None else rule.source.words
    return UnitLimit(limit.units, limit.indicator, means, applies, dated.since, dated.until, informs, limit.source)


def _elements(code: Code, book: RuleBook) -> Iterator[AskedElement]:
    for one in asked(books_in_force.chain(book.id)):
        element = one.element
        if code.code in element.codes and one.level != "none":
            yield AskedElement(
                element=element.id,
                level=one.level,
                book=one.book,
                of_visit=element.of_visit,
                when=element.when,
                label=element.label,
                confidence=element.confidence,
                informs_only=element.confidence == "uncertain",
                source=element.source,
            )
