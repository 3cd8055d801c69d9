"""What a body is that is not JSON, as far as its first bytes tell: a sentence for whoever sent it."""

import codecs

_STARTS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
    (codecs.BOM_UTF8, "UTF-8 with a byte order mark"),
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"<", "XML or HTML"),
)
_WHITE = b" \t\r\n"


def kind_of(body: bytes) -> str:
    """What the body is instead of JSON, such as "empty"; "" where that cannot be told."""
    start = body[:100].lstrip(_WHITE)
    if not start and not body.strip(_WHITE):
        return "empty"
    for first, kind in _STARTS:
        if start.startswith(first):
            return kind
    if b"\x00" in start[:4]:
        return "UTF-16 or UTF-32"
    return ""
