"""Findings on what could not be known."""

from plugin.kinds.kind import Kind

KINDS: tuple[Kind, ...] = (
    Kind(
        "facts.payer-unknown",
        "Payer not known",
        "Payer not recognised: payer rules were not checked.",
        "None of the rule books is known by what the record prints of the payer{payer}. The practice's base book"
        " ({book}) was applied; the payer's own rules were not checked.",
    ),
    Kind(
        "facts.unreadable",
        "Part of the record unreadable",
        "{count_parts} of the data could not be read.",
        "These parts were left out of the review:",
    ),
    Kind(
        "facts.not-checked",
        "Part of the record not sent",
        "Not checked for want of data: {keys}.",
        "These parts of the record were not available:",
    ),
    Kind(
        "facts.more-found",
        "More was found",
        "{count} more findings are not shown.",
        "An answer tells {most} findings, the weightiest first. The others are told once these are dealt with, or when"
        " the claims are sent one by one.",
    ),
    Kind(
        "facts.not-given",
        "Billed and not given",
        "Do not bill {what}: the record says that it was not given ({status}).",
        "The Procedure of {what} has the status {status}, and no other Procedure documents the line. Correct the"
        " record, or do not bill the line.",
    ),
    Kind(
        "facts.date-unknown",
        "Date of service unknown",
        "No date of service found; the rules of {date} were applied.",
        "The record states no date of service for {all}. The rules in force on {date} were applied.",
    ),
    Kind(
        "facts.date-before-books",
        "Date of service before the rule books",
        "The rule books begin on {begins}; this visit was not reviewed.",
        "The date of service {date} lies before {begins}, the first day that the rule books answer for.",
    ),
    Kind(
        "facts.codes-not-reviewed",
        "Codes outside the tables",
        "Not reviewed: {codes}.",
        "These lines carry codes that VisitCue's tables do not hold; they were not reviewed: {codes}.",
    ),
)
