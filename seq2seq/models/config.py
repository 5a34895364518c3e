"""What a model is built from: the fields of its config.json, checked.

One class for each architecture. What a caller wants to know of a model (has it attention, a final
state, how many heads) it asks here, and never by the name of the architecture.
Nothing here needs torch.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from seq2seq.errors import UserError, quote

# Of each kind of cell, the field's name, and the tensors of its state: h, and C of an LSTM.
CELL_NAMES = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}
STATE_PARTS = {"rnn": 1, "gru": 1, "lstm": 2}
CHOICES = {
    "cell": tuple(CELL_NAMES),
    "attention": ("none", "additive", "dot", "general"),
    "feeds": ("token", "context", "readout"),
    "activation": ("relu", "gelu", "gelu_tanh", "silu"),
    "positions": (
        "sinusoidal",
        "sinusoidal_halves",
        "sinusoidal_tensor2tensor",
        "sinusoidal_fairseq",
        "learned",
        "relative",
    ),
    "norm": ("layer", "rms"),
    "embedding_norm": ("none", "sum", "decoder_tokens"),
    "input": ("tokens", "audio", "series"),
    "level": ("mean", "peak"),
    "positions_from": ("start", "end"),
}
# Far above any model there is; beyond, torch cannot even count the weights.
MOST = {"vocabulary": 10_000_000, "encoder_layers": 256, "decoder_layers": 256, "bins": 1_000}
MOST_OF_ANY = 1_000_000


@dataclass(frozen=True)
class Config(ABC):
    """What all models have, and the questions that each of them answers.

    Build a RecurrentConfig or a TransformerConfig; `from_json` and `from_dict` choose by the field
    "architecture". Raises UserError where a value is not possible.
    """

    architecture: ClassVar[str]

    # Tokens of the target, and of the source unless `source_vocabulary` says otherwise.
    vocabulary: int
    # Of the states of encoder and decoder.
    width: int = 256
    encoder_layers: int = 1
    decoder_layers: int = 1
    # The output matrix W_o is the target embedding (Press and Wolf 2017).
    tied: bool = True
    # Source and target have one embedding.
    shared: bool = True
    # 0 for the same as the target's.
    source_vocabulary: int = 0
    # "tokens": ids of text. "series": ids of a series of numbers. "audio": log-mel frames.
    input: str = "tokens"
    # Of a log-mel frame.
    bins: int = 80
    # What energies are measured from where a model hears no windows of a fixed length, see
    # seq2seq.data.audio.standardise.
    level: str = "mean"
    # Seconds of silence that a recording gets before and after it where it has no quiet there, see
    # seq2seq.data.audio.with_quiet.
    margin: float = 0.0
    dropout: float = 0.1
    # Ids of special tokens. bos: what the decoder reads first.
    pad: int = 0
    unknown: int = 1
    bos: int = 2
    eos: int = 3

    def __post_init__(self) -> None:
        for field in fields(self):
            self._check_type(field.name, type(field.default))
        for name, allowed in CHOICES.items():
            if getattr(self, name, allowed[0]) not in allowed:
                known = ", ".join(allowed)
                raise UserError(
                    f"The config's {name} is {quote(getattr(self, name))}: use {known}."
                )
        self._check_positive("vocabulary", "width", "encoder_layers", "decoder_layers", "bins")
        if not 0 <= self.dropout < 1:
            raise UserError(f"The config's dropout is {self.dropout}: it must be in [0, 1).")
        if not 0 <= self.margin <= 10:
            raise UserError(f"The config's margin is {self.margin}: give 0 to 10 seconds.")
        self._check_vocabularies()
        self._check()

    def _check_type(self, name: str, kind: type) -> None:
        value, kind = getattr(self, name), int if name == "vocabulary" else kind
        if kind is float and type(value) is int and abs(value) <= MOST_OF_ANY:
            object.__setattr__(self, name, float(value))
        elif type(value) is not kind:
            raise UserError(f"The config's {name} is {quote(value)}: give {kind.__name__}.")
        most = MOST.get(name, MOST_OF_ANY)
        if kind is int and not 0 <= value <= most:
            raise UserError(f"The config's {name} is {quote(value)}: give 0 to {most}.")

    def _check_positive(self, *names: str) -> None:
        for name in names:
            if getattr(self, name) < 1:
                raise UserError(f"The config's {name} is 0: it must be at least 1.")

    def _check_vocabularies(self) -> None:
        if self.shared and self.source_vocabulary not in (0, self.vocabulary):
            raise UserError(
                "Two vocabularies of unequal size cannot share an embedding: set shared to false."
            )
        padded = min(self.vocabulary, self.source_vocabulary or self.vocabulary)
        if max(self.unknown, self.bos, self.eos) >= self.vocabulary or self.pad >= padded:
            raise UserError(
                "The config's special tokens lie outside its vocabulary: give ids below its size."
            )

    @abstractmethod
    def _check(self) -> None:
        """Check what only this architecture has. Raises UserError."""

    @property
    def has_attention(self) -> bool:
        """Whether the decoder looks at all encoder states h_1 ... h_T."""
        return self.cross_attention_shape != (0, 0)

    @property
    def has_final_state(self) -> bool:
        """Whether the encoder ends in a state of fixed size, c = h_T, where the decoder starts."""
        return self.final_state_shape != (0, 0, 0)

    @property
    @abstractmethod
    def final_state_shape(self) -> tuple[int, int, int]:
        """Parts (h, and C of an LSTM), layers and width of that state, (0, 0, 0) without."""

    @property
    def directions(self) -> int:
        """2 where one half of a state has read forward and the other backward, else 1."""
        return 1

    @property
    def context_at_every_step(self) -> bool:
        """Whether every step of the decoder reads a context vector, and not only the first one."""
        return self.has_attention

    @property
    @abstractmethod
    def hides_masked(self) -> bool:
        """Whether the encoder itself can leave out masked positions of the source."""

    @property
    @abstractmethod
    def cross_attention_shape(self) -> tuple[int, int]:
        """Layers and heads of the attention to the source, (0, 0) without."""

    @property
    @abstractmethod
    def self_attention_shape(self) -> tuple[int, int]:
        """Layers and heads of the encoder's self-attention, (0, 0) without."""

    @property
    def can_copy(self) -> bool:
        """Whether the decoder may copy tokens of the source."""
        return False

    @property
    @abstractmethod
    def stride(self) -> int:
        """How many frames of audio make one source position."""

    @property
    def longest(self) -> int | None:
        """The most tokens the model can take on one side, None where there is no limit."""
        return None

    @property
    @abstractmethod
    def kind(self) -> str:
        """One of "rnn", "gru", "lstm" or "transformer"."""

    @property
    @abstractmethod
    def attention_kind(self) -> str:
        """One of "none", "additive", "dot", "general", or "heads" of a Transformer."""

    @property
    def fed(self) -> str:
        """What a recurrent decoder reads beside the previous token, "" for a Transformer."""
        return ""

    @property
    def token_width(self) -> int:
        """Width of the token vectors."""
        return self.width

    @property
    def inner_width(self) -> int:
        """Width of the decoder's feed-forward blocks, 0 without."""
        return 0

    @property
    @abstractmethod
    def encoder_name(self) -> str:
        """What the field calls such an encoder, as in "bidirectional LSTM"."""

    @property
    def name(self) -> str:
        """What the field calls such a model, as in "bidirectional LSTM, general attention"."""
        return self.encoder_name

    @staticmethod
    def from_json(text: str) -> Config:
        """Read what to_json wrote. Raises UserError for anything else."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            raise UserError("The config is not JSON: write it with save().") from None
        return Config.from_dict(values)

    @staticmethod
    def from_dict(values: Any) -> Config:
        """Build from plain values, as in a recipe; fields of other architectures are ignored.

        Raises UserError for unknown or missing ones.
        """
        if not isinstance(values, dict) or "vocabulary" not in values:
            raise UserError("The config does not give a vocabulary: it is not one of this library.")
        values = dict(values)
        architecture = values.pop("architecture", RecurrentConfig.architecture)
        if not isinstance(architecture, str) or architecture not in ARCHITECTURES:
            known = ", ".join(ARCHITECTURES)
            raise UserError(f"The config's architecture is {quote(architecture)}: use {known}.")
        anywhere = {field.name for kind in ARCHITECTURES.values() for field in fields(kind)}
        if unknown := sorted(set(values) - anywhere):
            raise UserError(
                f"The config has a field this library does not know: {quote(unknown[0])}."
            )
        kind = ARCHITECTURES[architecture]
        own = {field.name for field in fields(kind)}
        return kind(**{name: value for name, value in values.items() if name in own})

    def to_dict(self) -> dict[str, Any]:
        """Return what from_dict reads."""
        return {"architecture": self.architecture, **asdict(self)}

    def to_json(self) -> str:
        """Write as JSON, one field a line."""
        return json.dumps(self.to_dict(), indent=2) + "\n"


@dataclass(frozen=True)
class RecurrentConfig(Config):
    """An RNN, GRU or LSTM on both sides, with or without attention."""

    architecture = "recurrent"

    # Of the token vectors, 0 for the same as `width`.
    embedding: int = 0
    cell: str = "lstm"
    # Half of the width reads forward, half backward.
    bidirectional: bool = False
    # How scores e_tj are made of s_t and h_j.
    attention: str = "none"
    # What the decoder's cell reads beside the previous token, see RecurrentDecoder.
    feeds: str = "context"
    # A decoder with attention may copy tokens of the source (See et al. 2017).
    copies: bool = False

    def _check(self) -> None:
        if self.bidirectional and self.width % 2:
            raise UserError(f"Two directions cannot share an odd width, {self.width}.")
        if self.copies and (not self.has_attention or self.input == "audio"):
            raise UserError("Without attention to tokens nothing can be copied: choose attention.")
        if self.copies and self.source_vocabulary not in (0, self.vocabulary):
            raise UserError("What is copied must be in both vocabularies: give both one size.")

    @property
    def hides_masked(self) -> bool:
        """False: each state is made of the one before, so that all tokens are read."""
        return False

    @property
    def cross_attention_shape(self) -> tuple[int, int]:
        """One layer with one head, or (0, 0) without attention."""
        return (0, 0) if self.attention == "none" else (1, 1)

    @property
    def self_attention_shape(self) -> tuple[int, int]:
        """(0, 0): there is none."""
        return 0, 0

    @property
    def final_state_shape(self) -> tuple[int, int, int]:
        """h_T of every layer, and C_T of an LSTM."""
        return STATE_PARTS[self.cell], self.encoder_layers, self.width

    @property
    def directions(self) -> int:
        """2 for a bidirectional encoder."""
        return 2 if self.bidirectional else 1

    @property
    def context_at_every_step(self) -> bool:
        """With attention, or where h_T is fed to the cell at every step (Cho et al. 2014)."""
        return self.has_attention or self.feeds == "context"

    @property
    def can_copy(self) -> bool:
        """As the field `copies` says."""
        return self.copies

    @property
    def stride(self) -> int:
        """4 for audio, see Subsampling."""
        return 4 if self.input == "audio" else 1

    @property
    def kind(self) -> str:
        """The cell."""
        return self.cell

    @property
    def attention_kind(self) -> str:
        """As the field `attention` says."""
        return self.attention

    @property
    def fed(self) -> str:
        """As the field `feeds` says."""
        return self.feeds

    @property
    def token_width(self) -> int:
        """As the field `embedding` says."""
        return self.embedding or self.width

    @property
    def encoder_name(self) -> str:
        """The cell, after "bidirectional " if it is that."""
        return ("bidirectional " if self.bidirectional else "") + CELL_NAMES[self.cell]

    @property
    def name(self) -> str:
        """The encoder and the attention."""
        attention = self.attention if self.has_attention else "no"
        return f"{self.encoder_name}, {attention} attention"


@dataclass(frozen=True)
class TransformerConfig(Config):
    """A Transformer (Vaswani et al. 2017) and its relatives: BART, T5, Whisper and others."""

    architecture = "transformer"

    # Source positions that audio may become.
    max_source: int = 1500
    # Of encoder and decoder; `decoder_heads` and `decoder_feedforward` 0 for the same as these.
    heads: int = 4
    feedforward: int = 1024
    decoder_heads: int = 0
    decoder_feedforward: int = 0
    # Of each head, 0 for width / heads.
    head_width: int = 0
    activation: str = "relu"
    # The inner layer is multiplied by another (Shazeer 2020).
    gated: bool = False
    # Normalization before each block (True) or after it.
    norm_first: bool = True
    # "layer", or "rms" without mean and bias (Zhang and Sennrich 2019).
    norm: str = "layer"
    # Added to a variance before its root is taken.
    epsilon: float = 1e-5
    # Whether linear layers have a bias.
    bias: bool = True
    # Whether scores are divided by the root of the head's width.
    scaled: bool = True
    positions: str = "sinusoidal"
    # "end": sinusoidal source positions are counted back from the last token, so that "twelve steps
    # ago" is one position in sources of any length.
    positions_from: str = "start"
    # The number of the first position. CTranslate2's are "sinusoidal_tensor2tensor" from 1, fairseq
    # counts from one more than the id of padding; "sinusoidal_fairseq" begins 2 later than this.
    first_position: int = 0
    # Of positions that are learned, with those before the first one.
    max_positions: int = 512
    # Of relative positions: how many biases, and the distance from which on they are all one.
    buckets: int = 32
    distance: int = 128
    # Each layer has biases of its own (UMT5).
    bias_each: bool = False
    # Token vectors are multiplied by the root of the width.
    scale_embedding: bool = True
    # "sum": of token and position is normalized. "decoder_tokens": that in the encoder, the token
    # vector alone in the decoder.
    embedding_norm: str = "none"
    # States are divided by the root of the width before W_o.
    scale_output: bool = False

    def _check(self) -> None:
        self._check_positive("feedforward", "max_positions", "max_source")
        if not 0 < self.epsilon < 1:
            raise UserError(f"The config's epsilon is {self.epsilon}: it must be in (0, 1).")
        for heads in (self.heads, self.decoder_heads or self.heads):
            if heads < 1 or (self.width % heads and not self.head_width):
                raise UserError(
                    f"{heads} heads do not divide the width {self.width}: give a number that does."
                )
        if self.positions == "relative" and not 4 <= self.buckets <= self.distance:
            raise UserError("The config's buckets must be at least 4, and at most its distance.")
        if self.positions in ("sinusoidal_tensor2tensor", "sinusoidal_fairseq") and self.width < 4:
            raise UserError("The config's positions need a width of at least 4.")
        self._check_first_position()
        if self.positions_from == "end" and (
            not self.positions.startswith("sinusoidal") or self.input == "audio"
        ):
            raise UserError("Only sinusoidal positions of tokens can be counted from the end.")

    def _check_first_position(self) -> None:
        if self.first_position and (self.positions == "relative" or self.positions_from == "end"):
            raise UserError("Positions without a start have no first_position: set it to 0.")
        if self.positions == "learned" and self.first_position >= self.max_positions:
            raise UserError(
                f"The config's first_position is {self.first_position}: give less than its "
                f"max_positions, {self.max_positions}."
            )

    @property
    def final_state_shape(self) -> tuple[int, int, int]:
        """(0, 0, 0): every source token keeps a vector of its own."""
        return 0, 0, 0

    @property
    def hides_masked(self) -> bool:
        """Of tokens yes; audio is masked by frames, before positions are made of them."""
        return self.input != "audio"

    @property
    def cross_attention_shape(self) -> tuple[int, int]:
        """Layers and heads of the decoder."""
        return self.decoder_layers, self.decoder_heads or self.heads

    @property
    def self_attention_shape(self) -> tuple[int, int]:
        """Layers and heads of the encoder."""
        return self.encoder_layers, self.heads

    @property
    def stride(self) -> int:
        """2 for audio, see AudioEmbedding."""
        return 2 if self.input == "audio" else 1

    @property
    def longest(self) -> int | None:
        """As many tokens as positions were learned; None for other kinds of positions."""
        return self.max_positions - self.first_position if self.positions == "learned" else None

    @property
    def kind(self) -> str:
        """All are one kind."""
        return "transformer"

    @property
    def attention_kind(self) -> str:
        """Several heads, always."""
        return "heads"

    @property
    def inner_width(self) -> int:
        """As the fields say."""
        return self.decoder_feedforward or self.feedforward

    @property
    def encoder_name(self) -> str:
        """All of them are Transformers."""
        return "Transformer"


ARCHITECTURES: dict[str, type[Config]] = {
    kind.architecture: kind for kind in (RecurrentConfig, TransformerConfig)
}
