"""A tiny forecaster with fresh weights, and a file of series to score it on."""

import numpy as np
import torch

from seq2seq.checkpoint import save
from seq2seq.data.value_tokenizer import ValueTokenizer
from seq2seq.models.config import RecurrentConfig, TransformerConfig
from seq2seq.models.seq2seq import build, order_tokens

CARD = 'title = "Tiny forecaster"\ntask = "forecasting"\nlicence = "CC0-1.0"\n'
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
