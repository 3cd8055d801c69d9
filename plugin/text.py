"""Text for cards: what comes from the caller never comes back as active Markdown or HTML, nor in disguise.

Characters that are not seen (bidirectional controls, zero-width characters, tags) are taken out: they make a text
read otherwise than it is, and a payer's name or a code needs none. Letters of every script stay. Addresses are set
apart by a space, for GitHub-flavoured Markdown makes a link of every bare one, escaped or not.
"""

import re

_UNSEEN = re.compile(
    "[\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]+"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~])")
_MARKUP = re.compile(r"[<>`*_\[\]\\{}|~]")
_LINKED = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
"""Where an extended autolink is broken off: https://, www. and the addresses of mail (GFM, section 6.9)."""
_INERT = re.compile(r"[A-Za-z0-9 .,;:'/-]*")
"""Text that stays as it is, unless it holds an address."""
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
LONGEST = 160
SUMMARY = 139
"""A card's summary has fewer than 140 characters (CDS Hooks, card attributes)."""


def plain(text: str) -> str:
    """A caller's words as inert Markdown."""
    words = _bounded(text)
    return words if _INERT.fullmatch(words) else _MARKDOWN.sub(r"\\\1", words).translate(_HTML)


def unmarked(text: str) -> str:
    """A caller's words for a plain sentence: no markup characters at all."""
    words = _bounded(text)
    return words if _INERT.fullmatch(words) else _MARKUP.sub("", words)


def in_code(text: str) -> str:
    """A caller's words for a code span."""
    return _bounded(text).replace("`", "'").translate(_HTML)


def _bounded(text: str) -> str:
    """A caller's words on one line, seen as they are, of bounded length, without an address that becomes a link."""
    if not _INERT.fullmatch(text):
        text = _CONTROL.sub(" ", _UNSEEN.sub("", text))
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    return _LINKED.sub(" ", text)


def summary(text: str) -> str:
    """A sentence cut to what a card's summary may hold, also where characters are counted as JavaScript does."""
    if len(text) <= SUMMARY and (text.isascii() or _length(text) <= SUMMARY):
        return text
    cut = text[: SUMMARY - 1]
    while _length(cut) >= SUMMARY:
        cut = cut[:-1]
    return cut.rstrip() + "…"


def _length(text: str) -> int:
    """The length in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 unit, 2 units."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
