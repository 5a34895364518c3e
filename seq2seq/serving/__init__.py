"""Where a computation runs: in this process, or on the machines of a cluster."""
