"""Manual therapy (97140) or massage (97124): what the note says was done, against the code that is billed."""

from collections.abc import Iterator

from mappings import notes, tables
from mappings.rule_book import RuleBook
from mappings.visit import Visit
from plugin.findings import Finding

OTHER = {"97140": tables.MASSAGE, tables.MASSAGE: "97140"}


def other_code(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """A note that documents the other code's technique or purpose and none of the billed one's.

    Which code is right is for the clinician to say: the code of a service is not changed by a click.
    """
    rule = book.technique_decides
    if rule is None or not rule.value:
        return
    for line in visit.standing:
        if line.code not in OTHER or not line.notes:
            continue
        spoken = notes.techniques(line.notes)
        other = OTHER[line.code]
        named = notes.quotation(f"{line.code}.technique", notes.read_notes(line.notes)) is not None
        if line.code not in spoken and not named and other in spoken:
            yield Finding(
                "policy.massage-or-manual",
                "warning" if rule.may_advise else "info",
                (line.ref,),
                {"code": line.code, "speaks_for": other, "words": spoken[other]},
                (rule.source,),
            )
