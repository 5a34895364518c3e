"""Well-known models, and which halves of an encoder-decoder they have."""

from __future__ import annotations

from typing import NamedTuple

ENCODER, DECODER, BOTH = "encoder", "decoder", "encoder-decoder"
KINDS = (ENCODER, DECODER, BOTH)


class NamedModel(NamedTuple):
    """kind: one of KINDS. trained: on what. paper: where it was published."""

    name: str
    kind: str
    trained: str
    paper: str


MODELS = (
    NamedModel("BERT", ENCODER, "to fill in masked words", "Devlin et al. 2019"),
    NamedModel("GPT", DECODER, "to continue a text", "Radford et al. 2018"),
    NamedModel("T5", BOTH, "to restore spans that were cut out", "Raffel et al. 2020"),
    NamedModel("BART", BOTH, "to restore a text that was damaged", "Lewis et al. 2020"),
    NamedModel("Whisper", BOTH, "to write what is said in a recording", "Radford et al. 2023"),
)
