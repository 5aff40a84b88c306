"""One folder per rail entry; pages read fields, call a service, show the result."""
