"""Paper: frozen input dataclasses in; pages, PDF and .docx out.

A leaf: it knows no database, no clock, no desktop and no device. Qt is met in ``painter`` only.
"""
