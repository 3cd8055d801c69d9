"""Text for cards: what comes from the caller never comes back as active Markdown or HTML."""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]+")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~])")
_MARKUP = re.compile(r"[<>`*_\[\]\\]")
_ACTIVE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff<>`*_\[\]\\]")
_INERT = re.compile(r"[A-Za-z0-9 .,;:'/-]*")
"""Text that `plain` leaves as it is."""
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
LONGEST = 160
SUMMARY = 139
"""A card's summary has fewer than 140 characters (CDS Hooks, card attributes)."""


def plain(text: str) -> str:
    """A caller's words as inert Markdown."""
    if len(text) <= LONGEST and _INERT.fullmatch(text):
        return text
    words = _CONTROL.sub(" ", text)
    cut = words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", cut).translate(_HTML)


def in_code(text: str) -> str:
    """A caller's words for a code span."""
    words = _CONTROL.sub(" ", text).replace("`", "'").translate(_HTML)
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"


def unmarked(text: str) -> str:
    """A caller's words for a plain sentence: no markup characters at all."""
    return _MARKUP.sub("", _CONTROL.sub(" ", text)) if _ACTIVE.search(text) else text


def summary(text: str) -> str:
    """A sentence cut to what a card's summary may hold."""
    return text if len(text) <= SUMMARY else text[: SUMMARY - 1].rstrip() + "…"


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 unit, 2 units."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
