"""What outlives a rerun: models in memory, runs in the cache, uploads."""
