"""Tokens that were used, so that none is accepted twice."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """The table of used tokens; `until` in seconds since 1970."""
    op.create_table(
        "seen_token",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_index("seen_token_until", "seen_token", ["until"])
