"""What can be wrong with the files of an installation.

RuleFileError    a rule file or table is not as it must be; nothing is served from it
"""

_NOT_UTF_8 = range(0xDC80, 0xDD00)
"""How Python holds the bytes of a file's name that are no UTF-8."""


class RuleFileError(Exception):
    """A rule file is not as it must be; the message names file, path and what was expected."""


def shown(text: str) -> str:
    """A name in one line that can be printed anywhere: what is no printable character is escaped."""
    return text if text.isprintable() else "".join(one if one.isprintable() else _escaped(one) for one in text)


def _escaped(one: str) -> str:
    if ord(one) in _NOT_UTF_8:
        return f"\\x{ord(one) - 0xDC00:02x}"
    return one.encode("unicode_escape").decode("ascii")
