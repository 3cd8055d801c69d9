"""A code explained in plain text: what `visitcue explain` prints for people."""

from collections.abc import Iterator

from mappings import tables
from mappings.tables import Code
from plugin.book_values import ONLY_EMBEDDED, WHEN, Span, cited, dates, in_words, quoted, sure, wrapped
from plugin.explain import AskedElement, Explanation, TouchingPair, TouchingRule
from plugin.explain_imported import ImportedExplanation, ImportedPairs
from plugin.text import counted

MOST_IMPORTED = 20
"""So many pairs with codes that we do not review are listed for people."""


def text(told: Explanation) -> str:
    """Everything that touches a code, part by part."""
    code = told.code.code
    parts = [_head(told), _heading(f"Rules that touch {code}: {len(told.rules)}"), *map(_rule, told.rules)]
    parts += [_heading(f"Pair edits: {len(told.pairs)}"), *_pairs(told)]
    parts += [_heading("Units (MUE)"), _limit(told), *_only_embedded(told, "limits")]
    parts += [_heading(f"Documentation: {counted(len(told.documentation), 'element')}")]
    parts += [*map(_element, told.documentation)] or ["This payer asks for none that is particular to it."]
    return "\n\n".join(parts)


def text_of_imported(told: ImportedExplanation) -> str:
    """A code that VisitCue does not review, as the imported files have it."""
    code = told.code.code
    title = f"{code}: VisitCue does not review this code"
    parts = [
        f"{title}\n{'=' * len(title)}\n\nDate of service {told.on}. This is what the imported NCCI files say.",
        _heading(f"Pair edits: {told.imported.count if told.imported else 0}"),
        _imported(told.imported) or "No table of pairs is imported.",
        _heading("Units (MUE)"),
    ]
    limit = told.mue
    if limit is None:
        return "\n\n".join([*parts, "No limit of it is held for this date."])
    state = f"indicator {limit.indicator}, {dates(Span(limit.since, limit.until))}"
    return "\n\n".join([*parts, wrapped(f"{limit.means} ({state}; imported {limit.edition})")])


def billed_as(code: Code) -> str:
    """How a code is billed, in words."""
    traits = {
        "billed by time, in 15-minute units": code.timed,
        "not billed by time": not code.timed,
        "always therapy": code.always_therapy,
        "given one on one": code.one_on_one,
        "by a device that has settings": code.setting,
    }
    return "; ".join([code.kind, *(words for words, holds in traits.items() if holds)])


def _head(told: Explanation) -> str:
    title = f"{told.code.code}: {told.code.label}"
    layers = " over ".join(told.layers)
    facts = [
        billed_as(told.code),
        f"Payer {told.payer}: {told.title} (layers {layers}; edition {told.edition})",
        f"Date of service {told.on}",
    ]
    return f"{title}\n{'=' * len(title)}\n\n" + "\n".join(wrapped(fact, hanging=4) for fact in facts)


def _heading(words: str) -> str:
    return f"{words.upper()}\n{'-' * len(words)}"


def _rule(rule: TouchingRule) -> str:
    return "\n".join(
        (
            wrapped(f"{rule.rule} = {in_words(rule.value)}", hanging=4),
            wrapped(f"{rule.meaning}; touches it because {rule.why}", 4),
            wrapped(f"{rule.book}, {dates(Span(rule.since, rule.until))}, {sure(rule.confidence)}", 4),
            quoted(rule.source, 4),
        )
    )


def _pairs(told: Explanation) -> Iterator[str]:
    code = told.code.code
    if told.on < told.pairs_whole_from:
        yield wrapped(f"Not all pairs of this date are held: the table is whole from {told.pairs_whole_from}.")
    for column, words in (("column2", "is column 2, which is not paid,"), ("column1", "is column 1, which is paid,")):
        pairs = [pair for pair in told.pairs if getattr(pair, column) == code]
        if pairs:
            yield "\n".join((f"{code} {words} beside", *(_pair(pair, code) for pair in pairs)))
    if not told.pairs:
        yield f"{code} stands in no pair that is in force."
    if told.other_pairs:
        yield "\n".join(
            ("Other rows: of other dates, or beside a stricter one", *(_other_pair(pair) for pair in told.other_pairs))
        )
    sources = {(pair.source.title, pair.source.section): pair.source for pair in (*told.pairs, *told.other_pairs)}
    for source in sources.values():
        yield f"{wrapped(cited(source))}\n{source.url}"
    yield from _only_embedded(told, "pairs")
    if told.imported is not None and told.imported.count:
        yield _imported(told.imported)


def _only_embedded(told: Explanation, table: str) -> Iterator[str]:
    if table in told.embedded_only:
        yield wrapped(ONLY_EMBEDDED)


def _imported(found: ImportedPairs | None) -> str:
    """The pairs with codes that we do not review, of many only the first."""
    if found is None:
        return ""
    head = (
        f"Also in the imported file ({found.edition}): {counted(found.count, 'pair')} in force with codes that"
        " VisitCue does not review"
    )
    lines = [
        wrapped(
            f"{pair.column2} beside {pair.column1}: {pair.means} (indicator {pair.indicator},"
            f" {dates(Span(pair.since, pair.until))})",
            4,
            4,
        )
        for pair in found.pairs[:MOST_IMPORTED]
    ]
    if found.count > MOST_IMPORTED:
        lines.append(f"    and {found.count - MOST_IMPORTED:,} more; --json lists them all")
    return "\n".join((wrapped(head), *lines))


def _pair(pair: TouchingPair, code: str) -> str:
    other = pair.column1 if pair.column2 == code else pair.column2
    state = f"indicator {pair.indicator}, {dates(Span(pair.since, pair.until))}, {sure(pair.confidence)}"
    label = tables.codes()[other].label
    return wrapped(f"{other} ({label}): {pair.means}; {pair.modifier} ({state})", 4, 4)


def _other_pair(pair: TouchingPair) -> str:
    state = f"indicator {pair.indicator}, {dates(Span(pair.since, pair.until))}, {sure(pair.confidence)}"
    return wrapped(f"{pair.column2} beside {pair.column1}: {pair.means} ({state})", 4, 4)


def _limit(told: Explanation) -> str:
    limit = told.mue
    if limit is None:
        return "No limit of it is held for this date."
    state = f"indicator {limit.indicator}, {dates(Span(limit.since, limit.until))}"
    return "\n".join(
        (
            wrapped(f"{limit.means} ({state}){': informs only' * limit.informs_only}"),
            wrapped(limit.applies, 4),
            wrapped(cited(limit.source), 4),
            f"    {limit.source.url}",
        )
    )


def _element(element: AskedElement) -> str:
    when = WHEN.get(element.when, element.when) + (", once a visit" if element.of_visit else "")
    return "\n".join(
        (
            wrapped(f"{element.level}: {element.label} ({element.element})", hanging=4),
            wrapped(f"{when}; {element.book}, {sure(element.confidence)}", 4),
            quoted(element.source, 4),
        )
    )
