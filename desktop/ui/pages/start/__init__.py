"""The welcome: new book, open book, demo; the wizard of a new book."""
