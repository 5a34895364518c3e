"""How an output is found: one search for every architecture. Knows ids, never words."""
