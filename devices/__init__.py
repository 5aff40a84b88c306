"""Card readers, terminals and their files: a leaf that knows no program, no database and no Qt."""
