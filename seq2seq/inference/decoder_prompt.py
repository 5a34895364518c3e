"""What the decoder reads before its first output, and what that output has to begin with."""

from __future__ import annotations

from collections.abc import Sequence

from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.generation_config import DecoderPrompt
from seq2seq.decoding.options import MAX_LENGTH, Options
from seq2seq.errors import UserError
from seq2seq.inference.inputs import clean_target


def decoder_prompt(checkpoint: Checkpoint, options: Options) -> DecoderPrompt:
    """Return the prompt of a checkpoint for these options, with the visitor's prefix.

    Raises UserError for a language that the model does not have, and for a prefix that is none of
    this model's, has characters that it has never seen, or is too long.
    """
    prompt = checkpoint.generation_config.decoder_prompt(options, checkpoint.tokenizer.languages)
    return prompt._replace(prefix=_prefix(checkpoint, options, prompt.forced_tokens))


def _prefix(
    checkpoint: Checkpoint, options: Options, forced_tokens: tuple[int, ...]
) -> tuple[int, ...]:
    config = checkpoint.model.config
    if options.prefix_tokens:
        tokens = options.prefix_tokens
        if tokens[: len(forced_tokens)] == forced_tokens:
            tokens = tokens[len(forced_tokens) :]
        known = all(0 <= token < config.vocabulary for token in tokens)
        if not known or set(checkpoint.ends) & set(tokens[:-1]):
            raise UserError(
                "The output cannot begin with these tokens, which are of another model: type its "
                "beginning instead."
            )
    else:
        text = clean_target(checkpoint, options.prefix)
        tokens = tuple(checkpoint.tokenizer.encode_target(text)) if text else ()
    if config.unknown in tokens and config.unknown not in checkpoint.ends:
        raise UserError(
            "The output cannot begin with characters that the model has never seen: replace them."
        )
    check_length(checkpoint, tokens, "The output cannot begin with")
    return tokens


def check_length(checkpoint: Checkpoint, tokens: Sequence[int], what: str) -> None:
    """Raise UserError for more tokens than the model writes; what: begins its sentence."""
    longest = checkpoint.model.config.longest
    if len(tokens) >= min(MAX_LENGTH, longest or MAX_LENGTH):
        raise UserError(f"{what} {len(tokens)} tokens: give less text.")
