"""The window: Qt Widgets over the same services as the command line. No rule of law or money."""
