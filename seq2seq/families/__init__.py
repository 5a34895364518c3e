"""Other people's models: the only code that knows their files, settings and names."""
