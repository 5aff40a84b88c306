"""The frame around the pages: window, rail, header, message bar, command bar."""
