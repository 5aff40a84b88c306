"""Widgets shared by the pages; none of them knows a service."""
