"""From a recipe and files of pairs to a checkpoint."""
