"""The roster: list, search, import of spreadsheets, one person in the panel."""
