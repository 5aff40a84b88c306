"""The window: few tests, each of something a user does."""
