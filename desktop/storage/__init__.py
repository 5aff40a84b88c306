"""The encrypted book: engine, keys, chain, migrations. It knows no station above it."""
