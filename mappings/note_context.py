"""Whether words of a note say what they seem to: not where they are denied, planned, past, or about somebody else.

The cues are open tables: `denials.csv` (words before or after a phrase, in its clause) and `note_sections.csv` (the
labels of a note's sections). After ConText (Harkema and others, 2009): a cue reaches to the end of its clause, ends
earlier at some words, and is lifted by words such as "no change in".
"""

import csv
import functools
import re

import msgspec

from mappings.tables import FOLDER

Match = re.Match[str]

LOSSES = frozenset({"rationale", "medical_necessity", "97530.deficit", "97530.functional_need", "97535.specific_need"})
"""Elements that tell what a patient cannot do: there "unable" is the finding, and denies nothing."""

PROSPECTIVE = frozenset(
    {
        "97110.functional_goal", "97112.functional_goal", "97124.plan_goals", "97124.expected_outcomes",
        "97124.outcome_measures", "97150.frequency_duration", "97150.individual_goal", "97530.functional_need",
        "97530.plan_outcome", "97535.plan_outcome", "97535.specific_need", "mcr.plan_of_care", "mcr.certification",
    }
)  # fmt: skip
"""Elements about what is to come: a plan says them, and does not take them back."""

OF_OTHERS = frozenset({"97535.capacity", "97535.response", "97535.specific_need"})
"""Elements that a carer may meet instead of the patient."""

_CLAUSE_END = re.compile(r"[;!?](?=\s|$|\|)|\.(?=\s|$)|\n|\u2022")
_ENDS = re.compile(
    r"\b(?:but|however|except|although|though|then|because|due to|secondary to|so that|instead(?! of)|today|now"
    r"|this visit|this session|currently)\b"
)
"""Words at which the reach of a cue ends."""

_OCCASION = re.compile(r"\b(?:with|during|after|while|when|on|upon|following|throughout|post)\b")
_DOING = re.compile(r"\b(?:performed|done|given|completed|provided|used|included)\b")
_DONE = re.compile(r"(?<!not )(?<!never )(?<!be )(?<!n't )\b(?:performed|completed|done|given|tolerated)\b")
_NOT_DONE = re.compile(r"(?:\b(?:not|never)|n't)\s+(?:been\s+|be\s+|yet\s+)?\w+(?:ed|en|ne)\b")
_APART = re.compile(r",(?!\d)|\band\b|&|\+|\|")
_OF_PATIENT = re.compile(
    r"(?:\s|\b(?:was|were|is|are|has|had|have|been|be|but|who|which|still|the|patient|pt|he|she)\b)*"
)
"""Words between a comma and a cue that start another statement about the patient, and go on with no list."""

_OR = re.compile(r"\b(?:n?or)\b|/")
_WITHOUT = re.compile(r"\bwithout(?:\s+[\w-]+){0,2}\s*$")
_UNABLE = re.compile(r"\b(?:unable|cannot|can't|not able)\b")
_RELATIVE = re.compile(
    r"\b(?:mother|father|sister|brother|wife|husband|spouse|partner|aunt|uncle|grand(?:mother|father)|friend"
    r"|roommate|co-?worker|sibling|cousin)(?:\s+(?:also|who|has|had|did|does|is|was|underwent|performs?|performed"
    r"|uses|used|received|received|says|with)\b)"
)
_NO_ANSWER = (
    r"(?:none|no|n|nil|nope|n/?a|not\s+(?:applicable|done|performed|given|indicated|tested|assessed|documented|today"
    r"|addressed)|deferred|declined|refused|omitted|unknown|tbd|pending|held|0|false|_{2,}|\.{3,}|-{1,3}|\?+)"
)
_ANSWERED_NO = re.compile(
    r"^\W{0,3}\s*(?:(?:was|were|exercises?)\s+)?(?:performed|completed|done|given|used|today|provided)?\s*"
    rf"(?:[:=|?\u2013\u2014]|\s-)\s*{_NO_ANSWER}(?=\s*(?:$|[.,;|(\n]))"
    rf"|^[^\n]*?\|\s*(?:done|performed|completed|given|provided)\??\s*:?\s*{_NO_ANSWER}(?=\s*(?:$|[.,;|(\n]))"
)
"""A label, or the name of an item, with an answer that says no."""

_EMPTY = re.compile(r"^\s*(?:[:=|]|\?)?\s*(?:$|_{2,}|\.{3,}|\|\s*$)", re.MULTILINE)
_LABEL_ALONE = re.compile(r"^\s*(?:#|.{1,60}:[\s*_]*(?:\n|$))")
_NEW_LINE = re.compile(r"\n\s*")

_NEAR = 600
"""Characters around a phrase that are looked at: a note without line breaks is not read through for each phrase."""

_SECTION_WITHIN = 4_000
_UNCHECKED = r"\[[\s_]?\]|\(\s?\)|[\u2610\u25a1\u274f\u2751\u2752]"
_CHECKED = r"\[[xX*\u2713\u2714]\]|\([xX\u2713\u2714]\)|[\u2611\u2612\u2713\u2714]"
_BOX = re.compile(rf"(?P<no>{_UNCHECKED})|(?P<yes>{_CHECKED})")
_YES_NO = re.compile(rf"(?P<mark>{_UNCHECKED}|{_CHECKED})\s*(?P<word>yes|no|y|n)\b", re.IGNORECASE)


class _Cues(msgspec.Struct, frozen=True):
    before: dict[str, re.Pattern[str]]
    after: dict[str, re.Pattern[str]]


@functools.cache
def _cues() -> _Cues:
    """The patterns of cues by what they say."""
    found: tuple[dict[str, list[str]], dict[str, list[str]]] = ({}, {})
    with (FOLDER / "denials.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for side, where in zip(found, ("before", "after"), strict=True):
                if row["where"] in (where, "both"):
                    side.setdefault(row["says"], []).append(row["words"])
    before, after = ({says: _one_of(words) for says, words in side.items()} for side in found)
    return _Cues(before, after)


def _one_of(words: list[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    joined = "|".join(r"\s+".join(map(re.escape, one.split())) for one in longest_first)
    return re.compile(rf"(?:(?<!\w)|(?='ll|n't))(?:{joined})(?!\w)")


@functools.cache
def _sections() -> tuple[re.Pattern[str], dict[str, str]]:
    with (FOLDER / "note_sections.csv").open(encoding="utf-8", newline="") as file:
        says = {row["label"]: row["says"] for row in csv.DictReader(file)}
    labels = "|".join(map(re.escape, sorted(says, key=len, reverse=True)))
    pattern = rf"^[ \t#*_>-]*(?P<label>{labels})[ \t*_]*(?P<colon>:[ \t*_]*|\u2013[ \t]|-[ \t]|(?=$))(?P<rest>[^\n]*)"
    return re.compile(pattern, re.MULTILINE | re.IGNORECASE), says


def counts(text: str, match: Match, element: str) -> bool:
    """Whether the words that were found say that the element holds on this visit."""
    line_start, line_end = _line(text, match)
    start, end = _clause(text, match, line_start)
    before, after = text[start : match.start()].lower(), text[match.end() : end].lower()
    if not _checked(text, match, line_start, line_end) or _unanswered(text, match, end, line_end):
        return False
    section = section_of(text, match.start())
    if section == "past" or (section == "planned" and element not in PROSPECTIVE):
        return False
    return not _taken_back(before, after, match[0].lower(), element)


def section_of(text: str, place: int) -> str:
    """What the section of a place in a note speaks of ("here", "planned", "past", "told"), by its label."""
    pattern, says = _sections()
    found = None
    for one in pattern.finditer(text, max(0, place - _SECTION_WITHIN), place):
        found = one
    if found is None:
        return "here"
    below = "\n" in text[found.start("rest") : place]
    if below and found["rest"].strip():
        return "here"  # a label with its text beside it speaks for that line only
    return says[found["label"].lower()]


def _line(text: str, match: Match) -> tuple[int, int]:
    """Where the line of a phrase begins and ends, as far as it is near."""
    near, far = max(0, match.start() - _NEAR), min(len(text), match.end() + _NEAR)
    begins, ends = text.rfind("\n", near, match.start()), text.find("\n", match.end(), far)
    return begins + 1 if begins >= 0 else near, ends if ends >= 0 else far


def _clause(text: str, match: Match, line_start: int) -> tuple[int, int]:
    start, far = line_start, min(len(text), match.end() + _NEAR)
    for one in _CLAUSE_END.finditer(text, line_start, match.start()):
        start = one.end()
    ended = _CLAUSE_END.search(text, match.end(), far)
    return start, ended.start() if ended else far


def _checked(text: str, match: Match, line_start: int, line_end: int) -> bool:
    """Whether no box of the line says that the words do not hold; a line without boxes says nothing."""
    boxes = list(_BOX.finditer(text, line_start, line_end))
    if not boxes:
        return True
    answered = list(_YES_NO.finditer(text, match.end(), line_end))
    if answered:
        marked = [one["word"][0].lower() for one in answered if not re.fullmatch(_UNCHECKED, one["mark"])]
        return bool(marked) and marked[0] == "y"
    leading = not any(map(str.isalnum, text[line_start : boxes[0].start()]))
    if not leading and boxes[0].start() < match.start():  # "Exercises: [ ] bridges [x] planks"
        leading = text[line_start : boxes[0].start()].rstrip().endswith((":", "|", "-"))
    own = [one for one in boxes if one.end() <= match.start()][-1:] if leading else []
    if not leading:
        own = [one for one in boxes if one.start() >= match.end()][:1]
    return not own or own[0]["yes"] is not None


def _unanswered(text: str, match: Match, end: int, line_end: int) -> bool:
    """Whether the words are a label or a question that has no answer, or one that says no."""
    rest = text[match.end() : line_end]
    if _ANSWERED_NO.search(rest.lower()):
        return True
    if end < len(text) and text[end] == "?":
        answer = text[end + 1 : line_end].strip(" |*_").lower()
        return not answer or re.match(rf"{_NO_ANSWER}(?=\s*(?:$|[.,;|(]))", answer) is not None
    line_start = _line(text, match)[0]
    row = _is_row(text[line_start:line_end], rest)
    labels = match[0].endswith(":") or rest.lstrip(" *_").startswith((":", "=")) or row
    heading = text[line_start : match.start()].lstrip().startswith("#")
    if not (labels or heading) or not _EMPTY.match(rest.lstrip(" *_").rstrip(" *_")):
        return False
    below = _NEW_LINE.split(text[line_end : line_end + _NEAR], maxsplit=1)
    following = below[1] if len(below) > 1 else ""
    if not following.strip() or "__" in rest or "|" in rest or _LABEL_ALONE.match(following):
        return True
    return _sections()[0].match(following) is not None


def _is_row(line: str, rest: str) -> bool:
    """Whether the words are the first of two cells of a table's row."""
    return line.strip().strip("|").count("|") <= 1 and rest.lstrip().startswith("|")


def _taken_back(before: str, after: str, words: str, element: str) -> bool:
    cues = _cues()
    before, after = cues.before["lifts"].sub("~", before), cues.after["lifts"].sub("~", after)
    whole = before
    for last in _ENDS.finditer(before):
        whole = before[last.end() :]
    before = _UNABLE.sub("~", whole) if element in LOSSES else whole
    cut = _ENDS.search(after)
    ended = cut.start() if cut else len(after)
    if _denied_before(before, words, after[:ended]) or _cued_after(cues.after["denied"], words, after, ended):
        return True
    if _cued_after(_NOT_DONE, words, after, ended):
        return True
    if element not in PROSPECTIVE and (
        cues.before["planned"].search(before) or _cued_after(cues.after["planned"], words, after, ended)
    ):
        return True
    if _past_before(before, words, after[:ended]) or _cued_after(cues.after["past"], words, after, ended):
        return True
    return element not in OF_OTHERS and bool(cues.before["another"].search(before) or _RELATIVE.search(before))


def _denied_before(before: str, words: str, after: str) -> bool:
    cues = _cues().before
    if _WITHOUT.search(before):
        return True
    for cue in cues["absent"].finditer(before):
        between = before[cue.end() :]
        if between.lstrip()[:1] in (",", "|", ":") or (_OCCASION.search(between) and not _DOING.search(between)):
            continue
        if not _APART.search(between) or _OR.search(between + " " + after):
            return True
    for cue in cues["denied"].finditer(before):
        between = before[cue.end() :]
        if not (_APART.search(between) and _dosed(words, after)):
            return True
    return False


def _past_before(before: str, words: str, after: str) -> bool:
    """Whether words before a phrase put it into the past. What somebody has a history of ends with its comma."""
    cues = _cues().before
    for cue in cues["past"].finditer(before):
        if not (_APART.search(before, cue.end()) and _dosed(words, after)):
            return True
    return any(not _APART.search(before, cue.end()) for cue in cues["condition"].finditer(before))


def _dosed(words: str, after: str) -> bool:
    """Whether the item of a list that the words belong to states a dose, as what was given does."""
    return any(map(str.isdigit, words + _APART.split(after, maxsplit=1)[0]))


def _cued_after(pattern: re.Pattern[str], words: str, after: str, ended: int) -> bool:
    """Whether a cue behind the words reaches them: not over something else that was done, nor over a dose of theirs."""
    cue = pattern.search(after)
    if cue is None or cue.start() >= ended:
        return False
    between = after[: cue.start()]
    done = _DONE.search(between)
    if done is not None and _APART.search(between, done.end()):
        return False
    nearest = _APART.split(between)
    return len(nearest) == 1 or not (_dosed(words, after) or _OF_PATIENT.fullmatch(nearest[-1]))
