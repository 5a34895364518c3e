"""Tiny forecasters with fresh weights, ours and of Chronos' layout, and series to score them on."""

import numpy as np
import torch

from seq2seq.checkpoint import save
from seq2seq.data.value_tokenizer import ValueTokenizer
from seq2seq.models.config import RecurrentConfig, TransformerConfig
from seq2seq.models.seq2seq import build, order_tokens

CARD = 'title = "Tiny forecaster"\ntask = "forecasting"\nlicence = "CC0-1.0"\n'
TOKENS, LOW, HIGH = 64, -6.0, 6.0
CHRONOS = {
    "tokenizer_class": "MeanScaleUniformBins",
    "tokenizer_kwargs": {"low_limit": LOW, "high_limit": HIGH},
    "n_tokens": TOKENS,
    "n_special_tokens": 2,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "use_eos_token": True,
    "model_type": "seq2seq",
    "context_length": 48,
    "prediction_length": 8,
    "num_samples": 20,
    "temperature": 1.0,
    "top_k": 50,
    "top_p": 1.0,
}
SMALL = {"d_model": 16, "d_kv": 6, "d_ff": 24, "num_heads": 4, "num_layers": 2}
KINDS = {
    "transformer": (TransformerConfig, {"positions_from": "end", "heads": 2}),
    "gru": (RecurrentConfig, {"cell": "gru", "attention": "general"}),
}


def write_forecaster(folder, kind="transformer"):
    """Write a checkpoint folder of one of KINDS, with random weights."""
    torch.manual_seed(1)
    tokenizer = ValueTokenizer(64, -6.0, 6.0)
    architecture, fields = KINDS[kind]
    model = build(architecture(len(tokenizer), input="series", width=16, **fields))
    order_tokens(model, torch.from_numpy(tokenizer.centers))
    save(folder, model, tokenizer)
    (folder / "card.toml").write_text(CARD, encoding="utf-8")
    return folder


def write_series(path, count=4, length=60):
    """Write series of a yearly pattern with noise, in the format that `read_series` reads."""
    draw = np.random.default_rng(0)
    time = np.arange(length)
    lines = ["id\tfreq\tstart\tvalues"]
    for number in range(count):
        values = 50 + 10 * np.sin(2 * np.pi * time / 12) + draw.normal(0, 1, length)
        written = " ".join(f"{value:.2f}" for value in values)
        lines.append(f"series {number}\tM\t2000-01\t{written}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def chronos():
    """A tiny T5 of transformers with the settings of Chronos and random weights."""
    import transformers as hf

    torch.manual_seed(5)
    config = hf.T5Config(
        vocab_size=TOKENS,
        **SMALL,
        tie_word_embeddings=False,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    config.chronos_config = CHRONOS
    model = hf.T5ForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.mul_(1 if "norm" in name else 2)
    return model
