"""What every resource has, and what stands for a part that was not sent."""

import msgspec
from msgspec import Struct

NOT_SENT = msgspec.Raw()
"""What a part that is kept as raw JSON is where it was not sent."""

NULL = msgspec.Raw(b"null")
"""What it is where null was sent, which says no more."""


class Resource(Struct, tag_field="resourceType", rename="camel", kw_only=True, gc=False):
    id: str | None = None
