"""Every service as a command; one file per group."""
