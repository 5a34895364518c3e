"""What callers of the library may give: a checkpoint or its name, one input or a list of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from seq2seq.checkpoint import Checkpoint, load
from seq2seq.data.audio import Audio
from seq2seq.data.series import Series
from seq2seq.decoding.interventions import Interventions
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError, quote
from seq2seq.models.seq2seq import Seq2Seq

Named = Checkpoint | str | Path
Input = str | Audio | Series
Inputs = list[str] | list[Audio] | list[Series] | list[Input] | tuple[Input, ...]
Result = TypeVar("Result")


def opened(checkpoint: Named) -> Checkpoint:
    """Return a checkpoint, loaded where only its name, folder or Hub id is given.

    Raises UserError for anything else, and for a model that is being trained.
    """
    if isinstance(checkpoint, str | Path):
        return load(checkpoint)
    if isinstance(checkpoint, Seq2Seq):
        raise UserError(
            "This model comes without its tokenizer: give seq2seq.Checkpoint(model, tokenizer)."
        )
    if not isinstance(checkpoint, Checkpoint):
        raise UserError(
            f"A checkpoint is needed first, not {quote(checkpoint)}: give what seq2seq.load "
            "returns, or a name, a folder or an id of the Hub."
        )
    if checkpoint.model.training:
        raise UserError("This model is in training mode: call its eval() before it is run.")
    return checkpoint


def options_for(checkpoint: Checkpoint, options: Options | None) -> Options:
    """Return the options, or those of the checkpoint's authors where there are none.

    Raises UserError for options of another kind.
    """
    if not isinstance(options, Options | None):
        raise UserError(
            f"The options are {quote(options)}: give seq2seq.Options(beam_width=5), or none."
        )
    return options or checkpoint.generation_config.options


def check_interventions(interventions: Interventions) -> None:
    """Raise UserError for interventions of another kind."""
    if not isinstance(interventions, Interventions):
        raise UserError(
            f"The interventions are {quote(interventions)}: give seq2seq.Interventions(muted=(1,))."
        )


def is_list(given: object) -> bool:
    """Tell whether several inputs are given."""
    return isinstance(given, list | tuple)


def each(given: Sequence[Any], work: Callable[[Any], Result]) -> list[Result]:
    """Return what `work` makes of each input; a UserError says which of several it is about."""
    results = []
    for number, one in enumerate(given, start=1):
        try:
            results.append(work(one))
        except UserError as error:
            if len(given) == 1:
                raise
            raise UserError(f"Input {number} of {len(given)}: {error}") from None
    return results
