"""Findings on services that are billed together."""

from plugin.kinds.kind import Kind

KINDS: tuple[Kind, ...] = (
    Kind(
        "pairs.same-region",
        "Both services in the same region",
        "Do not bill {what} with {others}: same region ({regions}).",
        "{what} was given in the region that {others} treated ({regions}), and is included in it. No modifier"
        " changes that. Bill one of the two.",
    ),
    Kind(
        "pairs.never-together",
        "Services that are never paid together",
        "Do not bill {what} with {others}: no modifier allows the pair.",
        "{column2} is never paid beside {column1} on one day; no modifier rescues it. Bill the one that describes the"
        " visit.",
    ),
    Kind(
        "pairs.uncertain",
        "Pair on which the sources disagree",
        "{what} with {others}: sources disagree whether a modifier helps.",
        "The editions that we hold disagree on {column1} with {column2}. Check the payer's current file before you"
        " bill both.",
    ),
    Kind(
        "pairs.evidence-missing",
        "Distinctness not shown",
        "{what} with {others}: was it distinct? The record does not show it.",
        "{what} and {others} are paid together only if they were distinct. The record does not show it."
        " If it was so, document it; modifier 59 may stand only on that. If not, bill one of the two.",
    ),
    Kind(
        "pairs.not-checked",
        "Pair edits of that time not held",
        "The pair edits in force on {date} are not held: pairs were not checked.",
        "The table of pair edits begins with a later edition than the date of service {date}; of older edits only a"
        " few are held. Whether {all} may be billed together was not checked as a whole.",
    ),
)
