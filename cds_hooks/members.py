"""One member of each name: JSON leaves open which of two counts, and a claim must not depend on that.

RFC 8259, section 4: names within an object should be unique; where they are not, receivers differ in what they do.
"""

import msgspec

from cds_hooks.outcome import bad_request


class _Name:
    """A member's name that is equal to no other, so that a dict keeps both members of one name."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


_MEMBERS = msgspec.json.Decoder(dict[_Name, msgspec.Raw], dec_hook=lambda _, text: _Name(text))


def refuse_doubled(raw: bytes | msgspec.Raw, path: str, known: frozenset[str]) -> None:
    """Refuse (400) an object that has two members of one name; it has been decoded before, so it is sound JSON.

    The name is said if it is among `known`: any other one may tell what the caller would not have repeated. Only the
    object's own members are looked at.
    """
    names = [name.text for name in _MEMBERS.decode(raw)]
    if len(set(names)) == len(names):
        return
    twice = next(name for place, name in enumerate(names) if name in names[:place])
    where = ".".join(filter(None, (path, twice if twice in known else "")))
    raise bad_request(where, "there are two members of this name; expected one of each.", "structure")
