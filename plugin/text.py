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
_ADDRESS = re.compile(r"(:)(//)|(www)(\.)|()(@)", re.IGNORECASE)
"""What makes an extended autolink: https://, www. and the addresses of mail (GFM, section 6.9)."""
_INERT = re.compile(r"[A-Za-z0-9 .,;:'/-]*")
"""Text that stays as it is, unless it is long or holds an address."""
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
LONGEST = 160
SUMMARY = 139
"""A card's summary has fewer than 140 characters (CDS Hooks, card attributes)."""


def plain(text: str) -> str:
    """A caller's words as inert Markdown."""
    return text if _is_inert(text) else _MARKDOWN.sub(r"\\\1", _bounded(text)).translate(_HTML)


def unmarked(text: str) -> str:
    """A caller's words for a plain sentence: no markup characters at all."""
    return text if _is_inert(text) else _bounded(_MARKUP.sub("", text))


def in_code(text: str) -> str:
    """A caller's words for a code span."""
    return text if _is_inert(text) else _bounded(text).replace("`", "'").translate(_HTML)


def _is_inert(text: str) -> bool:
    if len(text) > LONGEST or _INERT.fullmatch(text) is None:
        return False
    return "://" not in text and "www." not in text.lower()


def _bounded(text: str) -> str:
    """A caller's words on one line, seen as they are, of bounded length, without an address that becomes a link."""
    words = _CONTROL.sub(" ", _UNSEEN.sub("", text))
    cut = words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
    return _ADDRESS.sub(_broken_off, cut)


def _broken_off(address: re.Match[str]) -> str:
    return " ".join(part for part in address.groups() if part is not None)


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


def in_short(code: str, ref: str) -> str:
    """A line by its code and, where it stands on a claim, its number there: 97112 (line 2)."""
    number = number_on_claim(ref)
    return f"{code} (line {number})" if number else code


def number_on_claim(ref: str) -> str:
    """The number of a line on its claim, "" for an order."""
    return ref.rpartition("#")[2] if ref.startswith("Claim") else ""


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 unit, 2 units."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
