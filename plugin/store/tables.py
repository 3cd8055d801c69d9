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

SHOWN_CARD = sa.Table(
    "shown_card",
    METADATA,
    sa.Column("card", sa.Uuid, primary_key=True),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("finding", sa.Text, nullable=False),  # its code
    sa.Column("level", sa.Text, nullable=False),  # critical, warning, info
    sa.Column("payer", sa.Text, nullable=False),  # the id of the rule book that answered
    sa.Column("edition", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),  # on which it was shown first
    sa.Column("times", sa.Integer, nullable=False),  # the same request again gives the same card
    sa.Column("suggestions", sa.JSON, nullable=False),  # their uuids
    sa.Index("shown_card_day", "day"),
)

FEEDBACK = sa.Table(
    "feedback",
    METADATA,
    sa.Column("card", sa.Uuid, primary_key=True),  # no foreign key: cards are written behind the answer
    sa.Column("outcome", sa.Text, primary_key=True),  # accepted, overridden
    # Both in UTC. SQLite keeps no time zone, so they are compared by the database and not read back.
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),  # as the client says
    sa.Column("received", sa.DateTime(timezone=True), nullable=False),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("suggestions", sa.JSON, nullable=False),  # the uuids of those that were accepted
    sa.Column("reason", sa.Text),
    sa.Column("reason_system", sa.Text),
    sa.Column("commented", sa.Boolean, nullable=False),
)
