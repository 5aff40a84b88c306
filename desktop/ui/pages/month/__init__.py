"""Closing a month: collect, settle findings, freeze, print."""
