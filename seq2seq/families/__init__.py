"""Other people's models: their config keys, weight names, vocabularies and habits.

Marian, T5, BART, Pegasus, Blenderbot, mBART, M2M100, NLLB and Whisper, as published on the Hugging
Face Hub, become a Config and weights of our own Transformer.
"""
