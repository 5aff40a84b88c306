"""The punch ledger, the terminal book and collection."""
