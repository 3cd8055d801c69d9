"""Which tokens were used already. A token's id is kept as a digest, and only for as long as the token is good."""

import datetime as dt
import hashlib

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from plugin.store.engine import Engine, told
from plugin.store.tables import SEEN_TOKEN

_INSERT = {
    "sqlite": sqlite.insert(SEEN_TOKEN).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(SEEN_TOKEN).on_conflict_do_nothing(),
}
_COUNTED = {"preserve_rowcount": True}
_EXPIRED = sa.delete(SEEN_TOKEN).where(SEEN_TOKEN.c.until < sa.bindparam("now"))


def first_seen(engine: Engine, issuer: str, jti: str, until: dt.datetime) -> bool:
    """Whether a token is used for the first time, in all processes and replicas that share the store.

    `until` (with a time zone) is when the token is no longer accepted anyway. Raises StoreUnavailable.
    """
    # The length keeps the two apart: ("a", "bc") and ("ab", "c") are different tokens.
    digest = hashlib.sha256(f"{len(issuer)}:{issuer}{jti}".encode()).digest()
    row = {"digest": digest, "until": int(until.timestamp()) + 1}
    with told(), engine.begin() as connection:
        is_new = connection.execute(_INSERT[engine.dialect.name], row, execution_options=_COUNTED).rowcount == 1
        if digest[0] == 0:  # one call in 256 tidies up for all
            connection.execute(_EXPIRED, {"now": int(dt.datetime.now(dt.UTC).timestamp())})
    return is_new
