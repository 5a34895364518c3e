"""The training lab: settings and presets, what is shown while models learn, and afterwards."""
