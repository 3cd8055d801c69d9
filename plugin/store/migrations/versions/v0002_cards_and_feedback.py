"""Cards that were shown, and what became of them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """The tables of cards and of feedback; a card's feedback may come before the card itself is written."""
    op.create_table(
        "shown_card",
        sa.Column("card", sa.Uuid, primary_key=True),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("finding", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("payer", sa.Text, nullable=False),
        sa.Column("edition", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
    )
    op.create_index("shown_card_day", "shown_card", ["day"])
    op.create_table(
        "feedback",
        sa.Column("card", sa.Uuid, primary_key=True),
        sa.Column("outcome", sa.Text, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("reason_system", sa.Text),
        sa.Column("commented", sa.Boolean, nullable=False),
    )
