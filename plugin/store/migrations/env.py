"""Runs the steps on the connection that `plugin.store.migrating` hands over, within its transaction."""

from alembic import context

from plugin.store.migrating import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=False,  # the transaction is begun and ended by whoever called
)
context.run_migrations()
