"""Who works in the book, what opens it, and how it is kept: one file per part."""
