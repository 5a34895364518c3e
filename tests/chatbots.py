"""Tiny chatbots with fresh weights: what they say means nothing, how they are shown does."""

import json

import torch

from seq2seq.checkpoint import save
from seq2seq.data.tokenizer import SplitRules, Unigram
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import build
from tests.conftest import KINDS, PAIRS

SEPARATOR = "¶"
CARD = """\
title = "A tiny chatbot"
task = "chatbot"
licence = "CC0-1.0"
summary = "Fresh weights: it has learnt nothing."
languages = ["en"]
examples = ["The cat sleeps.", "Where is the dog?"]
"""
KNOWS_TURNS = f'turn_separator = "{SEPARATOR}"\n'
DRAWS = """turns = 2
[decoding]
method = "sample"
beam_width = 3
temperature = 0.7
top_p = 0.8
"""


def write_slow(root):
    """Write a chatbot that thinks for seconds over a long reply; returns the folder."""
    tokenizer = Unigram.train(
        [text for pair in PAIRS for text in pair], 130, rules=SplitRules((SEPARATOR,))
    )
    torch.manual_seed(7)
    kind = KINDS["transformer"] | {"decoder_layers": 6, "feedforward": 2048, "heads": 8}
    save(
        root / "slow",
        build(Config.from_dict({"vocabulary": len(tokenizer), "width": 512, **kind})),
        tokenizer,
    )
    (root / "slow" / "card.toml").write_text(CARD + KNOWS_TURNS, encoding="utf-8")
    return root


def write(root):
    """Write chatbots that know turns, one that does not, one that draws; returns the folder."""
    texts = [text for pair in PAIRS for text in pair]
    tokenizer = Unigram.train(texts, 130, rules=SplitRules((SEPARATOR,)))
    for name, kind, card in (
        ("lstm-attention", "lstm-attention", CARD + KNOWS_TURNS),
        ("gru-plain", "gru-plain", CARD + KNOWS_TURNS),
        ("transformer", "transformer", CARD + KNOWS_TURNS),
        ("one-turn", "transformer", CARD),
        ("sampler", "gru-plain", CARD + KNOWS_TURNS + DRAWS),
    ):
        torch.manual_seed(7)
        config = Config.from_dict({"vocabulary": len(tokenizer), "width": 16, **KINDS[kind]})
        save(root / name, build(config), tokenizer)
        (root / name / "card.toml").write_text(card, encoding="utf-8")
        scores: dict[str, object] = {"perplexity": 1.0 if name == "transformer" else 2.0}
        if name == "transformer":
            danger = {"sent": 3, "dangerous": 4, "sent_needlessly": 1, "harmless": 5}
            scores["danger"] = danger
        (root / name / "evaluation.json").write_text(json.dumps(scores), encoding="utf-8")
    return root
