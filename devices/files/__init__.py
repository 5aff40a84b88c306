"""Files carried from a terminal by USB stick."""
