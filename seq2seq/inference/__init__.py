"""From an input to a Trace: prepare, encode, search, record."""
