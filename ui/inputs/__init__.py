"""What a visitor gives: text, audio, a checkpoint, decoding settings."""
