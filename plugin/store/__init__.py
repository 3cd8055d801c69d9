"""What the service remembers: cards, feedback, used tokens. The only package that imports SQLAlchemy and Alembic."""
