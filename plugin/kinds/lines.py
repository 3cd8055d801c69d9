"""Findings on claim lines beside the record."""

from plugin.kinds.kind import Kind

KINDS: tuple[Kind, ...] = (
    Kind(
        "lines.not-documented",
        "Billed and not recorded",
        "No service of the record documents {all}.",
        "{all}: billed, and no Procedure of the visit documents it. Record the service, or do not bill it.",
    ),
    Kind(
        "lines.not-billed",
        "Recorded and not billed",
        "Recorded and on no claim line: {all}.",
        "The record shows that {all} was given; no line of the claim bills it. Nothing is wrong if that is meant.",
    ),
    Kind(
        "lines.duplicate",
        "One service on two lines",
        "{all}: {count} lines that nothing tells apart.",
        "{all}: {count} lines of one code with the same modifiers, region and record. Payers take the second for a"
        " duplicate: state the units on one line, or record what tells them apart.",
    ),
)
