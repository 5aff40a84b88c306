"""What can go wrong on the way to paper: codes and facts, no sentences for users."""

from __future__ import annotations


class ReportError(Exception):
    """A document could not be made or delivered.

    ``code`` is stable: ``write_failed`` (medium full, read-only or gone), ``paper_size`` (the
    printer insists on another paper), ``print_failed``, ``not_a_table`` (a page with free texts
    has no .docx), ``page_sizes`` (one .docx, one paper), ``paper_too_large`` (Word's 558 mm).
    ``facts`` hold numbers and sizes, never printed content.
    """

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(f"{code} {facts}" if facts else code)
        self.code = code
        self.facts = facts
