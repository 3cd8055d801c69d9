"""One kind of finding."""

import msgspec


class Kind(msgspec.Struct, frozen=True):
    """One entry of the closed list: the code, a short name, the summary's and the detail's sentence."""

    code: str
    name: str
    summary: str
    detail: str
