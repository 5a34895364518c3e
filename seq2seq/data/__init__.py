"""What goes in: tokenizers, audio, files of pairs, batches; and how text is cleaned on the way."""
