"""Scores of a checkpoint on held-out pairs, one metric family a file."""
