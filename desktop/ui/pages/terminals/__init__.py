"""Terminals: the book, collecting, sticks, 对号, outage notes, declarations."""
