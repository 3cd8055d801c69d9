"""Notes as plain text: out of HTML and XHTML, RTF, and bytes of a stated type.

Blocks become lines, cells are parted by bars and take the column's heading, boxes become [x] and [ ], headings end with
a colon; what is struck out is left out. `lxml` parses as a stream of events, so that neither depth nor broken markup
costs more than its length; RTF goes through `striprtf`.
"""

import codecs
import re
from typing import Any

import msgspec
from lxml import etree
from striprtf.striprtf import rtf_to_text

LONGEST = 300_000
"""Bytes of one note; a longer one is a book or a picture, and is not searched."""

_LOOKED_INTO = 20_000
TEXTS = frozenset({"text/plain", "text/markdown", "text/x-markdown"})
MARKUP = frozenset({"text/html", "application/xhtml+xml", "text/xml", "application/xml", "application/hl7-cda+xml"})
RTF = frozenset({"application/rtf", "text/rtf", "application/x-rtf", "text/richtext"})
UNKNOWN = frozenset({"", "application/octet-stream", "application/binary", "binary/octet-stream"})

_TAG = re.compile(
    r"</?(?:p|div|br|span|table|t[rdh]|html|body|b|i|u|em|strong|ul|ol|li|h[1-6]|font|pre|input|del)\b[^>]{0,200}>",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_LINES = re.compile(r" ?\n[ \n]*")
_DECLARED = re.compile(r"^\s*<\?xml[^>]*\?>")

_BLOCKS = frozenset(
    {
        "address", "article", "blockquote", "body", "br", "center", "dd", "div", "dl", "dt", "fieldset", "footer",
        "form", "header", "hr", "item", "li", "list", "main", "nav", "ol", "p", "paragraph", "pre", "section", "table",
        "tbody", "thead", "title", "tr", "ul",
    }
)  # fmt: skip
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "caption", "legend"})
_LEFT_OUT = frozenset({"script", "style", "head", "del", "s", "strike", "noscript", "template"})


def plain(text: str) -> str:
    """A note's text as it is, or without its markup where it is HTML or RTF."""
    if text.startswith("{\\rtf"):
        return of_rtf(text) or ""
    if "<" in text and _TAG.search(text, 0, _LOOKED_INTO):
        return of_markup(text)
    return text


def of_bytes(data: bytes, content_type: str) -> str | None:
    """The text of an attachment; None where it is no text: a scan, a picture, sound."""
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower()
    if kind in UNKNOWN:
        kind = _sniffed(data)
    if kind not in TEXTS | MARKUP | RTF:
        return None
    if kind in RTF or data.startswith(b"{\\rtf"):
        return of_rtf(data.decode("latin-1"))
    text = _decoded(data, parameters)
    return of_markup(text) if kind in MARKUP else plain(text)


def _sniffed(data: bytes) -> str:
    start = data[:512].lstrip()
    if start.startswith(b"{\\rtf"):
        return "text/rtf"
    if b"\0" in data[:4096] and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "image"
    return "application/pdf" if start.startswith(b"%PDF") else "text/plain"


def _decoded(data: bytes, parameters: str) -> str:
    """The text of bytes: by their own mark, as the parameter `charset` says, else as UTF-8 or Windows-1252."""
    found = re.search(r"charset\s*=\s*\"?([\w.:-]+)", parameters, re.IGNORECASE)
    named = [found[1]] if found else []
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        named = ["utf-16"]
    for name in (*named, "utf-8-sig"):
        try:
            return data.decode(codecs.lookup(name).name).removeprefix("\ufeff")
        except (LookupError, UnicodeError, ValueError):
            continue
    return data.decode("cp1252", "replace")


def of_rtf(text: str) -> str | None:
    """The text of RTF; None where it cannot be read."""
    try:
        return str(rtf_to_text(text[:LONGEST], encoding="cp1252", errors="replace"))  # type: ignore[no-untyped-call]
    except (ValueError, OverflowError, LookupError, TypeError):
        return None


def of_markup(text: str) -> str:
    """The text of HTML, XHTML or other XML."""
    target = _Lines()
    # The stubs ask of a target more than lxml does: a method for comments, and bytes.
    taker: Any = target
    parser = etree.HTMLParser(target=taker, remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    try:
        parser.feed(_DECLARED.sub("", text[:LONGEST]).encode("utf-8", "replace").decode())
        parser.close()
    except etree.LxmlError:
        pass  # what was read before the place that nobody can parse stands
    return target.text()


class _Row(msgspec.Struct):
    cells: list[str] = []
    heads: list[bool] = []
    open: bool = False


class _Lines:
    """Collects the text of a stream of tags, line by line."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._left_out = 0
        self._heading: list[str] | None = None
        self._row: _Row | None = None
        self._columns: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in _LEFT_OUT:
            self._left_out += 1
        elif tag in _HEADINGS:
            self._say("\n")
            self._heading = []
        elif tag == "table":
            self._columns = []
        if tag == "tr":
            self._end_row()
            self._row = _Row([], [])
        elif tag in ("td", "th") and self._row is not None:
            self._row.cells.append("")
            self._row.heads.append(tag == "th")
            self._row.open = True
        elif tag == "input" and attributes.get("type", "").lower() in ("checkbox", "radio"):
            self._say(" [x] " if "checked" in attributes else " [ ] ")
        elif tag in _BLOCKS:
            self._say("\n")

    def end(self, tag: str) -> None:
        if tag in _LEFT_OUT:
            self._left_out = max(0, self._left_out - 1)
        elif tag in _HEADINGS and self._heading is not None:
            words, self._heading = "".join(self._heading).strip(), None
            self._say(f"\n## {words.rstrip(':')}:\n" if words else "")
        elif tag in ("tr", "table"):
            self._end_row()
        elif tag in ("td", "th") and self._row is not None:
            self._row.open = False
        elif tag in _BLOCKS:
            self._say("\n")

    def data(self, text: str) -> None:
        self._say(text.replace("\n", " "))

    def close(self) -> None:
        self._end_row()

    def _say(self, words: str) -> None:
        if self._left_out or not words:
            return
        if self._heading is not None:
            self._heading.append(words)
        elif self._row is not None and self._row.open:
            self._row.cells[-1] += words.replace("\n", " ")
        else:
            self._parts.append(words)

    def _end_row(self) -> None:
        row, self._row = self._row, None
        if row is None or not row.cells:
            return
        cells = [_SPACES.sub(" ", cell).strip() for cell in row.cells]
        if all(row.heads) and len(cells) > 1:
            self._columns = cells
            return
        if self._columns and len(self._columns) == len(cells):
            named = zip(self._columns[1:], cells[1:], strict=True)
            cells = [cells[0], *[f"{column}: {cell}" for column, cell in named]]
        elif row.heads[0] and len(cells) == 2:
            cells = [f"{cells[0].rstrip(':')}: {cells[1]}"]
        self._parts.append("\n" + " | ".join(cells) + "\n")

    def text(self) -> str:
        return _LINES.sub("\n", _SPACES.sub(" ", "".join(self._parts))).strip()
