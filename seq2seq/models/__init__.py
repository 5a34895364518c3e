"""The networks: encoders, decoders, attention, and the protocol that search and record rely on."""
