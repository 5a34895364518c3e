"""Other people's config.json, as our Config: what differs between the families, in one table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seq2seq.errors import UserError
from seq2seq.models.config import TransformerConfig

Values = dict[str, Any]

ACTIVATIONS = {
    "relu": "relu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "silu": "silu",
    "swish": "silu",
}
LARGEST_JSON = 16 * 2**20
LONGEST_SOUND = 1500  # encoder positions of a Whisper, 0.02 s each
# Other models that people have heard of, to be refused by name rather than as unknown.
NOT_SEQ2SEQ = {
    "bert": "an encoder only",
    "roberta": "an encoder only",
    "xlm-roberta": "an encoder only",
    "distilbert": "an encoder only",
    "electra": "an encoder only",
    "deberta-v2": "an encoder only",
    "wav2vec2": "an encoder only",
    "vit": "an encoder only",
    "gpt2": "a decoder only",
    "gpt_neo": "a decoder only",
    "gpt_neox": "a decoder only",
    "gptj": "a decoder only",
    "opt": "a decoder only",
    "bloom": "a decoder only",
    "llama": "a decoder only",
    "mistral": "a decoder only",
    "qwen2": "a decoder only",
    "gemma": "a decoder only",
    "phi": "a decoder only",
}
# Encoder-decoders that are made of other parts than there are here.
OTHER_PARTS = {
    "bigbird_pegasus": "BigBird-Pegasus, whose encoder looks at blocks of its source",
    "encoder-decoder": "an EncoderDecoder of two models that were not trained as one family",
    "fsmt": "FSMT, whose texts are split by the Moses scripts",
    "led": "LED, whose encoder looks through a window",
    "longt5": "LongT5, whose encoder looks at blocks of its source",
    "moonshine": "Moonshine, which hears raw samples through rotary positions",
    "nllb-moe": "NLLB with experts",
    "prophetnet": "ProphetNet, which predicts several tokens at once",
    "xlm-prophetnet": "XLM-ProphetNet, which predicts several tokens at once",
    "rag": "RAG, which reads a library of texts",
    "seamless_m4t": "SeamlessM4T, which hears and speaks",
    "seamless_m4t_v2": "SeamlessM4T, which hears and speaks",
    "speech-encoder-decoder": "a SpeechEncoderDecoder of two models",
    "speech_to_text": "Speech2Text, which hears Kaldi's filter banks",
    "speecht5": "SpeechT5, which speaks",
    "switch_transformers": "Switch Transformers, with experts",
    "trocr": "TrOCR's decoder; the whole model reads images",
    "vision-encoder-decoder": "a VisionEncoderDecoder such as TrOCR or Donut, which reads images",
}


def read_config(values: Values) -> TransformerConfig:
    """Translate a parsed config.json.

    Raises UserError, by name, for what is no encoder-decoder, for a family that is not known, and
    for a value that is missing, of the wrong kind or not supported.
    """
    family = values.get("model_type")
    if isinstance(family, str) and family in NOT_SEQ2SEQ:
        raise UserError(
            f"This is {shown(family)}, {NOT_SEQ2SEQ[family]}: choose a model that has both an "
            "encoder and a decoder."
        )
    if isinstance(family, str) and family in OTHER_PARTS:
        raise UserError(
            f"This is {OTHER_PARTS[family]}, and such models are not run here: choose one of "
            f"{', '.join(FAMILIES)}."
        )
    if not isinstance(family, str) or family not in FAMILIES:
        raise UserError(
            f"This model is of the family {shown(family)}, which is not known here: choose one of "
            f"{', '.join(FAMILIES)}."
        )
    if values.get("is_encoder_decoder", True) is not True:
        raise UserError("This model has no decoder: choose one that is an encoder-decoder.")
    return FAMILIES[family](values)


def whole(values: Values, key: str, default: int | None = None) -> int:
    """Return a whole number of at least 0. Raises UserError if it is missing or something else."""
    value = values.get(key)
    if value is None:
        value = default
    if type(value) is not int or value < 0:
        raise UserError(f"The config's {key} is {shown(value)}: it must be a whole number.")
    return value


def read_json(path: Path) -> Values:
    """Read a JSON object, {} if the file is not there. Raises UserError if it is something else."""
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise UserError(f"The {path.name} is too large to be one: choose another model.")
        values = json.loads(path.read_bytes())
    except UserError:
        raise
    except (OSError, ValueError, RecursionError):
        raise UserError(f"The {path.name} is damaged: fetch the model again.") from None
    if not isinstance(values, dict):
        raise UserError(f"The {path.name} is no JSON object: fetch the model again.")
    return values


def shown(value: Any) -> str:
    """Return a value as a message can quote it: lists and objects may be of any size and depth."""
    if value is None:
        return "missing"
    return repr(value)[:40] if isinstance(value, int | float | str) else type(value).__name__


def first_token(values: Values, key: str, default: int | None = None) -> int:
    """Return a token id; of a list of them, the first."""
    value = values.get(key)
    if isinstance(value, list) and value:
        return whole({key: value[0]}, key)
    return whole(values, key, default)


def _activation(name: Any) -> str:
    if not isinstance(name, str) or name not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise UserError(f"The config's activation is {shown(name)}: it must be one of {known}.")
    return ACTIVATIONS[name]


def _shared(values: Values) -> Values:
    """What the descendants of fairseq and Marian have in common."""
    pad = first_token(values, "pad_token_id", 1)
    eos = first_token(values, "eos_token_id", 2)
    return {
        "vocabulary": whole(values, "vocab_size"),
        "width": whole(values, "d_model"),
        "encoder_layers": whole(values, "encoder_layers"),
        "decoder_layers": whole(values, "decoder_layers"),
        "heads": whole(values, "encoder_attention_heads"),
        "decoder_heads": whole(values, "decoder_attention_heads"),
        "feedforward": whole(values, "encoder_ffn_dim"),
        "decoder_feedforward": whole(values, "decoder_ffn_dim"),
        "activation": _activation(values.get("activation_function", "gelu")),
        "scale_embedding": values.get("scale_embedding") is True,
        "max_positions": whole(values, "max_position_embeddings", 1024),
        "tied": True,
        "shared": True,
        "dropout": 0.0,
        "pad": pad,
        "unknown": pad,
        "bos": first_token(values, "decoder_start_token_id", eos),
        "eos": eos,
    }


def _marian(values: Values) -> TransformerConfig:
    given = _shared(values) | {"norm_first": False, "positions": "sinusoidal_halves"}
    if values.get("share_encoder_decoder_embeddings", True) is not True:
        given |= {
            "shared": False,
            "source_vocabulary": given["vocabulary"],
            "vocabulary": whole(values, "decoder_vocab_size", given["vocabulary"]),
        }
    return TransformerConfig(**given)


def _bart(values: Values) -> TransformerConfig:
    return TransformerConfig(
        **_shared(values) | {"norm_first": False, "positions": "learned", "embedding_norm": "sum"}
    )


def _mvp(values: Values) -> TransformerConfig:
    if values.get("use_prompt") is True:
        raise UserError("This MVP model reads prompts of its own weights: choose one without them.")
    return _bart(values)


def _mbart(values: Values) -> TransformerConfig:
    return TransformerConfig(
        **_shared(values) | {"norm_first": True, "positions": "learned", "embedding_norm": "sum"}
    )


def _pegasus(values: Values) -> TransformerConfig:
    return TransformerConfig(
        **_shared(values) | {"norm_first": True, "positions": "sinusoidal_halves"}
    )


def _m2m100(values: Values) -> TransformerConfig:
    return TransformerConfig(
        **_shared(values) | {"norm_first": True, "positions": "sinusoidal_fairseq"}
    )


def _blenderbot(values: Values) -> TransformerConfig:
    return TransformerConfig(**_shared(values) | {"norm_first": True, "positions": "learned"})


def _blenderbot_small(values: Values) -> TransformerConfig:
    return TransformerConfig(
        **_shared(values)
        | {"norm_first": False, "positions": "learned", "embedding_norm": "decoder_tokens"}
    )


def is_forecaster(values: Values) -> bool:
    """Tell whether a T5 reads and writes numbers, as Chronos does."""
    return not values.keys().isdisjoint(("chronos_config", "chronos_pipeline_class"))


def _t5(values: Values) -> TransformerConfig:
    kind = values.get("feed_forward_proj", "relu")
    kind = kind if isinstance(kind, str) else ""
    gated = kind.startswith("gated-")
    # "gated-gelu" has always meant the tanh approximation.
    inner = "gelu_new" if kind == "gated-gelu" else kind.removeprefix("gated-")
    epsilon = values.get("layer_norm_epsilon", 1e-6)
    layers = whole(values, "num_layers")
    return TransformerConfig(
        vocabulary=whole(values, "vocab_size"),
        width=whole(values, "d_model"),
        encoder_layers=layers,
        decoder_layers=whole(values, "num_decoder_layers", layers),
        heads=whole(values, "num_heads"),
        head_width=whole(values, "d_kv"),
        feedforward=whole(values, "d_ff"),
        activation=_activation(inner),
        gated=gated,
        norm="rms",
        epsilon=epsilon,
        norm_first=True,
        bias=False,
        scaled=False,
        positions="relative",
        input="series" if is_forecaster(values) else "tokens",
        buckets=whole(values, "relative_attention_num_buckets", 32),
        distance=whole(values, "relative_attention_max_distance", 128),
        bias_each=values["model_type"] == "umt5",
        scale_embedding=False,
        # Version 1.0 scales its states; older files say so by not saying that nothing is tied.
        # mT5 is of version 1.1, whatever its files say.
        scale_output=values["model_type"] in ("t5", "umt5")
        and values.get("scale_decoder_outputs", values.get("tie_word_embeddings")) is not False,
        tied=True,
        dropout=0.0,
        pad=first_token(values, "pad_token_id", 0),
        unknown=first_token(values, "pad_token_id", 0),
        bos=first_token(values, "decoder_start_token_id", first_token(values, "pad_token_id", 0)),
        eos=first_token(values, "eos_token_id", 1),
    )


def _whisper(values: Values) -> TransformerConfig:
    heard = whole(values, "max_source_positions", LONGEST_SOUND)
    if heard > LONGEST_SOUND:
        raise UserError(
            f"This model hears {heard} steps of a recording, and at most {LONGEST_SOUND} are "
            "allowed: choose one that hears 30 seconds."
        )
    given = _shared({"pad_token_id": 50256, "eos_token_id": 50256, **values})
    return TransformerConfig(
        **given
        | {
            "norm_first": True,
            "positions": "learned",
            "max_positions": whole(values, "max_target_positions", 448),
            "input": "audio",
            "bins": whole(values, "num_mel_bins", 80),
            "max_source": heard,
        }
    )


FAMILIES: dict[str, Callable[[Values], TransformerConfig]] = {
    "marian": _marian,
    "t5": _t5,
    "mt5": _t5,
    "umt5": _t5,
    "bart": _bart,
    "mvp": _mvp,
    "plbart": _bart,
    "pegasus": _pegasus,
    "blenderbot": _blenderbot,
    "blenderbot-small": _blenderbot_small,
    "mbart": _mbart,
    "m2m_100": _m2m100,
    "whisper": _whisper,
}
