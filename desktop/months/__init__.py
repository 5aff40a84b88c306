"""Freezing a month and its papers."""
