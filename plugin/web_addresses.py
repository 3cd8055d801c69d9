"""Our own address and those of web pages, as they are written in settings."""

import re
from urllib.parse import urlsplit

_PRINTABLE = re.compile(r"[!-~]+")


def web_address(text: str) -> str:
    """An absolute http(s) address without a slash at its end; raises ValueError with a sentence."""
    try:
        parts = urlsplit(text)
        well_formed = bool(parts.hostname) and parts.port != 0
    except ValueError:
        well_formed = False
    else:
        well_formed = well_formed and parts.scheme in ("http", "https") and bool(_PRINTABLE.fullmatch(text))
    if not well_formed:
        raise ValueError("expected a whole address such as https://visitcue.example.org")
    if "?" in text or "#" in text or "@" in text:
        raise ValueError("expected an address without a query, a fragment and a user name")
    return text.rstrip("/")


def web_origin(text: str) -> str:
    """The origin of a web page as browsers send it; raises ValueError with a sentence."""
    address = web_address(text)
    if urlsplit(address).path or address != address.lower():
        raise ValueError("expected origins such as https://ehr.example.org, in lower case and without a path; or one *")
    return address
