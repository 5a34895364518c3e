"""One question about one run a file. Knows no figure and no page."""
