"""Who acts, what he may do, and the trace he leaves."""
