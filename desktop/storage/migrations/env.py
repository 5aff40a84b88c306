"""Alembic's entry: runs the steps inside the transaction its caller has already begun.

The metadata given here holds only the naming convention of constraints: steps are frozen and must
not see today's mapped classes.
"""

from alembic import context
from sqlalchemy import MetaData

from desktop.storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=MetaData(naming_convention=Base.metadata.naming_convention),
)
with context.begin_transaction():
    context.run_migrations()
