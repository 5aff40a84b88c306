"""Lists: columns declared once, rows fetched when seen, order decided by SQL."""
