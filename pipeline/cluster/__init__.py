"""Which posts tell of the same event."""
