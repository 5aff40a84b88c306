"""The steps from one release's tables to the next.

Steps are numbered, frozen once released, and know nothing of the mapped classes: those move on.
A ledger table is never rebuilt (Alembic's batch mode silently drops triggers): add a column or
make a new table, and create the triggers of a new ledger table in the same step.
"""

VERSIONS = ("0001", "0002", "0003", "0004")
"""Every revision this program knows, oldest first; the last one is what it works with."""
