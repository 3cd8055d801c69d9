"""The tables as the queries see them; `migrations/versions` makes them."""

import sqlalchemy as sa

METADATA = sa.MetaData()

SEEN_TOKEN = sa.Table(
    "seen_token",
    METADATA,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),  # SHA-256 of the issuer and the token's id
    sa.Column("until", sa.BigInteger, nullable=False),  # seconds since 1970
    sa.Index("seen_token_until", "until"),
)
