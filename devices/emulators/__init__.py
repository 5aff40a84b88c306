"""Scripted terminals over their true transport, for the tests and the demo site."""
