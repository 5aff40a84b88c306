"""The rights board: what it says, what is missing, how it will look, and its exports."""
