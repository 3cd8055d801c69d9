"""Findings on what is usual, covered and authorized."""

from plugin.kinds.kind import Kind

KINDS: tuple[Kind, ...] = (
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
        "policy.not-covered",
        "Code that the payer does not cover",
        "{what} is not covered by this payer.",
        "This payer does not cover {what}. Do not expect payment for it.",
    ),
    Kind(
        "policy.prior-authorization",
        "Prior authorization",
        "{what}: this payer asks for authorization beforehand; the claim names none.",
        "This payer asks for prior authorization of {all}, and the claim carries no authorization number. It"
        " is asked of fully insured plans: check the patient’s.",
    ),
    Kind(
        "policy.extraspinal-only",
        "Paid beside a manipulation for extraspinal diagnoses only",
        "{what} with {others}: paid unseen for listed extraspinal diagnoses; else the records decide.",
        "This payer includes {what} in {others} of the same day, except for listed extraspinal diagnoses. The"
        " first diagnosis of the line names: {regions}. The list is the payer’s: check the diagnosis against it.",
    ),
    Kind(
        "policy.massage-or-manual",
        "Technique of the other code",
        "{what}: the documented technique speaks for {speaks_for}.",
        "{what} is billed, and the note documents what belongs to {speaks_for}: «{words}». Bill the code of"
        " what was done, or complete the note.",
    ),
    Kind(
        "policy.threshold-not-held",
        "KX threshold of the year not held",
        "The KX threshold of {year} is not held: KX was not checked.",
        "The record states what the year’s therapy has cost, and no threshold of {year} is in the rule books."
        " Whether {all} needs KX was not checked.",
    ),
    Kind(
        "policy.targeted-review",
        "Therapy near a targeted review",
        "The year’s therapy stands at {used} dollars: claims from {limit} may be reviewed.",
        "The year’s therapy stands at {used} dollars. From {limit} claims may be picked for a targeted"
        " medical review: be sure that the record shows the need.",
    ),
)
