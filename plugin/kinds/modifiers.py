"""Findings on modifiers."""

from plugin.kinds.kind import Kind

KINDS: tuple[Kind, ...] = (
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
        "modifiers.plan-unknown",
        "Therapy plan modifier missing, discipline not told",
        "{what}: under which plan was it given, GP, GO or GN?",
        "This payer asks for the modifier of the plan on {what}: GP for physical, GO for occupational, GN for speech"
        " therapy. The record does not tell who gave it.",
    ),
    Kind(
        "modifiers.plan-mismatch",
        "Modifier of another discipline's plan",
        "{what}: {add} names the discipline that gave it, not {remove}.",
        "{what} carries {remove}; its code, or the profession of who gave it, belongs to {add}. Correct the modifier,"
        " or the record.",
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
        "List the modifiers of {what} as {order}.",
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
        "{what}: {remove} does not go with this code.",
        "{remove} does not go with {what}. Take it off.",
    ),
    Kind(
        "modifiers.59-unsupported",
        "59 without a pair",
        "{what}: nothing on this visit calls for {remove}.",
        "No edit pairs {what} with another service of this visit, so there is nothing for {remove} to say. A"
        " modifier added by habit draws audits. Take it off.",
    ),
    Kind(
        "modifiers.assistant-missing",
        "Assistant modifier missing",
        "{what} needs modifier {add}: an assistant gave it.",
        "By the record an assistant gave {what}, or more of it than may go without {add}. Add {add}.",
    ),
    Kind(
        "modifiers.assistant-split",
        "Units of therapist and assistant",
        "{what}: bill {with_units} with {modifier} and {without} without, on two lines.",
        "Of {what} the assistant gave {with_units} and the therapist {without}. Bill two lines, one of them"
        " with {modifier}.",
    ),
    Kind(
        "modifiers.assistant-unsupported",
        "Assistant modifier without an assistant",
        "{what}: {remove} says that an assistant gave it; the record says otherwise.",
        "By the record a therapist gave {what}, and no assistant more than may go without {remove}. Take"
        " {remove} off, or correct the record.",
    ),
    Kind(
        "modifiers.kx-missing",
        "KX above the threshold missing",
        "{what}: the year’s therapy stands at {used} dollars; from {threshold} it needs KX.",
        "The year’s therapy stands at {used} dollars, at or above the threshold of {threshold}. Above it each"
        " line carries KX, which attests that the record shows medical necessity. Add KX if it does.",
    ),
    Kind(
        "modifiers.kx-early",
        "KX below the threshold",
        "{what}: KX stands below the threshold of {threshold} dollars.",
        "The year’s therapy stands at {used} dollars, below the threshold of {threshold}. KX stands"
        " from where it is reached: leave it if this visit passes it.",
    ),
    Kind(
        "modifiers.coverage-missing",
        "Manipulation without AT, GA or GZ",
        "{what}: active treatment (AT), or notice signed (GA) or not (GZ)?",
        "{what} carries none of {expected}, and is not paid so. Only you know which is true: AT for active"
        " treatment that the record shows, GA for maintenance with a signed notice of non-coverage, GZ"
        " without one.",
    ),
    Kind(
        "modifiers.excluded-missing",
        "Excluded service without GY",
        "{what}: Medicare excludes it from a chiropractor’s services; bill it with {add}, if at all.",
        "Of a chiropractor’s services Medicare covers the manipulation of the spine only. {what} is billed,"
        " where the patient or another payer wants a denial, with {add}.",
    ),
    Kind(
        "modifiers.conflict",
        "Modifiers that may not meet",
        "{what}: {modifiers} may not stand on one line.",
        "{what} carries {modifiers}, which say opposite things. Keep the one that is true.",
    ),
    Kind(
        "modifiers.needs-another",
        "Modifier that needs another",
        "{what}: {has} stands only together with {add}.",
        "{what} carries {has}, which is used only together with {add}.",
    ),
    Kind(
        "modifiers.less-specific",
        "A more specific modifier than 59",
        "{what}: {add} says more exactly than {remove} what the record shows.",
        "The record shows that {what} was distinct ({evidence}). This payer asks for the most specific"
        " modifier: {add} in place of {remove}.",
    ),
)
