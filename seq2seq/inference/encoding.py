"""A source made ready and read by the encoder, with what goes to the decoder beside it."""

from __future__ import annotations

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.audio import HOP, RATE
from seq2seq.decoding.interventions import NOTHING, Interventions
from seq2seq.decoding.options import Options
from seq2seq.families.language_codes import language_name
from seq2seq.inference.arguments import Input, check_interventions, options_for
from seq2seq.inference.decode import detect_language
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.inputs import Source, prepare
from seq2seq.inference.record import Encoded

SELF_BYTES = 20_000_000  # of self-attention that is kept unasked


def encode(
    checkpoint: Checkpoint,
    source: Input,
    options: Options | None,
    self_attention: bool | None = False,
    interventions: Interventions = NOTHING,
) -> Encoded:
    """Make a source ready and encode it. self_attention: as `run` has it."""
    check_interventions(interventions)
    options = options_for(checkpoint, options)
    read = prepare(checkpoint, source, options)
    layers, heads = checkpoint.model.config.cross_attention_shape
    interventions.check(len(read.ids), layers, heads)
    inside = _fits(checkpoint, read) if self_attention is None else self_attention
    memory = interventions.encode(checkpoint.searcher, read.batch(checkpoint.device), inside)
    if options != (options := detect_language(checkpoint, memory, options)):
        note = f"Detected: {language_name(options.source_language)}."
        read = read._replace(notes=(*read.notes, note))
    return Encoded(read, memory, options, decoder_prompt(checkpoint, options), interventions)


def _fits(checkpoint: Checkpoint, source: Source) -> bool:
    layers, heads = checkpoint.model.config.self_attention_shape
    filled = checkpoint.generation_config.window * RATE / HOP / checkpoint.model.config.stride
    positions = max(len(source.ids), round(filled))
    return 4 * layers * heads * positions**2 <= SELF_BYTES
