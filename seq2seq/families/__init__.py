"""Other people's models: the only code that knows their files, settings and names.

Marian, T5, BART, Pegasus, Blenderbot, mBART, M2M100, NLLB and Whisper, as published on the Hugging
Face Hub, become a Config and weights of our own Transformer.
"""
