"""The closed list of findings: every code with its name and its sentences.

A sentence has slots in braces: the finding's own, and `what` (its first line), `others` (its other lines), `all`.
A slot with an ending such as `to_units` is told as a number with its noun. Tests compare codes and slots, never prose.
"""

import msgspec


class Kind(msgspec.Struct, frozen=True):
    """One entry of the closed list: the code, a short name, the summary's and the detail's sentence."""

    code: str
    name: str
    summary: str
    detail: str


KINDS: tuple[Kind, ...] = (
    Kind(
        "units.too-many",
        "Too many units",
        "{what}: {support} support {to_units}, not {from}.",
        "Billed are {from_units} of {what}; {support} support {to_units}.",
    ),
    Kind(
        "units.too-few",
        "Too few units",
        "{what}: {support} support {to_units}; only {from} billed.",
        "Billed are {from_units} of {what}; {support} support {to_units}. If the recorded minutes are right, bill"
        " {to}.",
    ),
    Kind(
        "units.missing",
        "Units not stated",
        "{what}: state {to_units} for {support}.",
        "No units are stated for {what}; {support} support {to_units}.",
    ),
    Kind(
        "units.under-minimum",
        "Timed service under the minimum",
        "{what}: {minutes} minutes are too short to be billed.",
        "{what} took {minutes} minutes. A timed service needs at least {minimum} minutes for its first unit."
        " Do not bill it.",
    ),
    Kind(
        "units.untimed",
        "Untimed service with several units",
        "{what} is billed once a visit, not {from} times.",
        "{what} is not billed by time: whatever it took, it is {to} unit. Billed are {from}.",
    ),
    Kind(
        "units.minutes-unknown",
        "Minutes unknown",
        "Minutes are not recorded for {all}: units not checked.",
        "The units of {all} rest on minutes, and the record states none. Record the time of each service itself,"
        " as start and end or as minutes.",
    ),
    Kind(
        "units.minutes-overlap",
        "One-on-one minutes overlap",
        "{what} and {others} share {minutes} one-on-one minutes.",
        "The recorded times of {what} and {others} overlap by {minutes} minutes. One-on-one minutes belong to"
        " one service only. Correct the times, or bill the shared minutes once.",
    ),
    Kind(
        "units.tie",
        "A unit that can go to either service",
        "{all}: {to_units} together; you choose which service gets what is left.",
        "The {minutes} minutes of {all} support {to_units} together; billed are {from}. What is left after whole"
        " quarters of an hour is equal, so the clinician chooses where it goes.",
    ),
    Kind(
        "modifiers.distinct-missing",
        "Modifier for a distinct service missing",
        "{what} needs modifier {add} beside {others}.",
        "{what} is billed with {others}. The record shows that it is distinct ({evidence}). Add {add}.",
    ),
    Kind(
        "modifiers.distinct-then-gp",
        "59 and GP missing",
        "{what} needs modifiers {add}, in this order, beside {others}.",
        "{what} is billed with {others}. The record shows that it is distinct ({evidence}), and this payer asks for"
        " GP as well: {add}, in this order.",
    ),
    Kind(
        "modifiers.distinct-with-em",
        "59 beside an E/M missing",
        "{what} needs modifier {add} beside {others}.",
        "{what} is billed with {others} on the same day. The network asks for {add} to show that it was separate.",
    ),
    Kind(
        "modifiers.gp-missing",
        "Therapy plan modifier missing",
        "{what} needs modifier {add} for this payer.",
        "This payer asks for {add} on {what}: it says under which discipline's plan the service was given.",
    ),
    Kind(
        "modifiers.25-missing",
        "25 missing on the E/M",
        "{what} beside {others}: {add}, if its evaluation was significant and separate.",
        "{what} is billed with {others}. It is paid only with {add}, and {add} stands only for an evaluation that was"
        " significant and separate from what the other service includes. Confirm that the note shows that; if it"
        " does not, do not bill {what}.",
    ),
    Kind(
        "modifiers.order",
        "Modifiers in the wrong order",
        "{what}: list the modifiers as {order}.",
        "This payer reads the modifiers of {what} in the order {order}.",
    ),
    Kind(
        "modifiers.repeated",
        "Modifier twice on a line",
        "{what}: {remove} stands there more than once.",
        "{what} carries {remove} more than once. List each modifier once: {order}.",
    ),
    Kind(
        "modifiers.too-many",
        "More modifiers than places",
        "{what} has {count} modifiers; a line has {places} places.",
        "{what} carries {modifiers}. Only {places} fit on a line: keep those that affect payment.",
    ),
    Kind(
        "modifiers.59-with-x",
        "59 together with an X modifier",
        "{what}: take off {remove}; the X modifier already says it.",
        "{what} carries both {remove} and {keep}. The X modifier is the more specific one and stands alone.",
    ),
    Kind(
        "modifiers.misplaced",
        "Modifier that does not belong",
        "{what}: modifier {remove} does not belong on this code.",
        "Modifier {remove} does not belong on {what}. Take it off.",
    ),
    Kind(
        "modifiers.59-unsupported",
        "59 without a pair",
        "{what}: nothing on this visit calls for {remove}.",
        "No edit pairs {what} with another service of this visit, so {remove} says nothing here. A modifier added by"
        " habit draws audits. Take it off.",
    ),
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
        "The table of pair edits begins with a later edition than the date of service {date}. Whether {all} may be"
        " billed together was not checked against it.",
    ),
    Kind(
        "documentation.missing",
        "Documentation missing",
        "{what}: {count_elements} missing from the record.",
        "The record of {what} lacks:",
    ),
    Kind(
        "policy.therapies-per-visit",
        "More therapies than usual",
        "{count} therapies on one visit; {limit} are usual in the initial phase.",
        "Billed are {all}. In the initial phase of care {limit} therapies or modalities a visit are usual; more need"
        " a reason in the note. Phase of care: {phase}.",
    ),
    Kind(
        "policy.unlisted-code",
        "Unlisted code",
        "{what} is an unlisted code; as a rule it is not billed.",
        "{what} is unlisted. Find the code that describes the service; as a rule unlisted ones are not billed.",
    ),
    Kind(
        "policy.massage-units",
        "Massage above the usual units",
        "{what}: {units} units on one visit draw audits.",
        "More than {limit} unit of {what} on one date is an audit trigger. Be sure that the note shows the need.",
    ),
    Kind(
        "policy.massage-visits",
        "Massage past the usual visits",
        "{what}: visit {visits} with massage; past {limit} draws audits.",
        "This is visit {visits} with {what} in this episode. Past {limit} visits it is an audit trigger: be sure that"
        " the note shows progress and need, and that use is being reduced.",
    ),
    Kind(
        "policy.cmt-level",
        "Manipulation level against regions",
        "{what}: the record shows {count_regions}, not {range}.",
        "{what} stands for {range} spinal regions; the record shows {count} ({regions}). The level that the record"
        " supports is {to}.",
    ),
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
"""The closed list. A finding outside it cannot be made into a card."""

BY_CODE: dict[str, Kind] = {kind.code: kind for kind in KINDS}
