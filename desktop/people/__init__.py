"""Persons, stays, contracts, the entry gate, the roster."""
