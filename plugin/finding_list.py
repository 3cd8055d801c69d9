"""The closed list of findings: every code with its name and its sentences.

A sentence has slots in braces: the finding's own, and `what` (its first line), `others` (its other lines), `all`.
A slot with an ending such as `to_units` is told as a number with its noun. Tests compare codes and slots, never prose.
"""

from plugin.kinds import documentation, facts, lines, modifiers, pairs, policy, units
from plugin.kinds.kind import Kind

KINDS: tuple[Kind, ...] = (
    *units.KINDS,
    *modifiers.KINDS,
    *pairs.KINDS,
    *documentation.KINDS,
    *policy.KINDS,
    *lines.KINDS,
    *facts.KINDS,
)
"""The closed list. A finding outside it cannot be made into a card."""

BY_CODE: dict[str, Kind] = {kind.code: kind for kind in KINDS}
