"""Whole folders of tiny published models, as the reference itself saves them."""

import json

import torch
import transformers as hf

from tests import vocabularies as made

SMALL = {"d_model": 16, "encoder_layers": 2, "decoder_layers": 3}
FAIRSEQ = {
    **SMALL,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 20,
    "max_position_embeddings": 64,
    "dropout": 0.0,
}
T5 = {"d_model": 16, "d_kv": 6, "d_ff": 24, "num_heads": 4, "num_layers": 2}
WHISPER = {**FAIRSEQ, "num_mel_bins": 8, "max_source_positions": 50, "max_target_positions": 64}
TWO = {"share_encoder_decoder_embeddings": False}

# name: (maker of the vocabulary, its tokenizer's class, the model's class, its config, more)
MODELS = {
    "marian": (made.marian, "Marian", "MarianMTModel", "Marian", FAIRSEQ),
    "marian-multilingual": (made.marian_multilingual, "Marian", "MarianMTModel", "Marian", FAIRSEQ),
    "marian-separate": (made.marian_separate, "Marian", "MarianMTModel", "Marian", FAIRSEQ | TWO),
    "t5": (made.t5, "T5", "T5ForConditionalGeneration", "T5", T5),
    "t5-1.1": (
        made.t5,
        "T5",
        "T5ForConditionalGeneration",
        "T5",
        {**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    ),
    "mt5": (
        made.t5,
        "T5",
        "MT5ForConditionalGeneration",
        "MT5",
        {**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    ),
    "umt5": (made.t5, "T5", "UMT5ForConditionalGeneration", "UMT5", T5),
    "codet5": (made.codet5, "Roberta", "T5ForConditionalGeneration", "T5", T5),
    "byt5": (
        made.byt5,
        "ByT5",
        "T5ForConditionalGeneration",
        "T5",
        {**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    ),
    "mvp": (made.bart, "Mvp", "MvpForConditionalGeneration", "Mvp", FAIRSEQ),
    "plbart": (made.plbart, "PLBart", "PLBartForConditionalGeneration", "PLBart", FAIRSEQ),
    "bart": (made.bart, "Bart", "BartForConditionalGeneration", "Bart", FAIRSEQ),
    "pegasus": (made.pegasus, "Pegasus", "PegasusForConditionalGeneration", "Pegasus", FAIRSEQ),
    "blenderbot": (
        made.blenderbot,
        "Blenderbot",
        "BlenderbotForConditionalGeneration",
        "Blenderbot",
        {**FAIRSEQ, "encoder_no_repeat_ngram_size": 3},
    ),
    "blenderbot-small": (
        made.blenderbot_small,
        "BlenderbotSmall",
        "BlenderbotSmallForConditionalGeneration",
        "BlenderbotSmall",
        FAIRSEQ,
    ),
    "mbart50": (made.mbart50, "MBart50", "MBartForConditionalGeneration", "MBart", FAIRSEQ),
    "mbart25": (made.mbart25, "MBart", "MBartForConditionalGeneration", "MBart", FAIRSEQ),
    "m2m100": (made.m2m100, "M2M100", "M2M100ForConditionalGeneration", "M2M100", FAIRSEQ),
    "nllb": (made.nllb_json, "Nllb", "M2M100ForConditionalGeneration", "M2M100", FAIRSEQ),
    "whisper": (made.whisper, "Whisper", "WhisperForConditionalGeneration", "Whisper", WHISPER),
}


def token_ids(name, tokenizer):
    """Return what the published config of a family says of its special tokens."""
    ids = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    start = ids["pad_token_id"]
    if name in ("bart", "mvp", "plbart", "m2m100", "nllb", "mbart50", "mbart25"):
        start = ids["eos_token_id"]
    if name.startswith("blenderbot"):
        start = tokenizer.bos_token_id
    if name == "whisper":
        start = tokenizer.convert_tokens_to_ids("<|startoftranscript|>")
        ids["pad_token_id"] = ids["eos_token_id"]
    return {**ids, "decoder_start_token_id": start, "bos_token_id": tokenizer.bos_token_id}


def save(root, name, **settings):
    """Save a tiny model with its tokenizer; returns the folder, the model and the tokenizer."""
    maker, tokenizer_class, model_class, config_class, values = MODELS[name]
    tokenizer = getattr(hf, f"{tokenizer_class}Tokenizer").from_pretrained(maker(root / "files"))
    values = {**values, **token_ids(name, tokenizer), "vocab_size": len(tokenizer)}
    if name == "marian-separate":
        values["decoder_vocab_size"] = len(
            json.loads((root / "files/target_vocab.json").read_text())
        )
    torch.manual_seed(sum(map(ord, name)))
    config = getattr(hf, f"{config_class}Config")(**values | settings, attn_implementation="eager")
    model = getattr(hf, model_class)(config).eval().requires_grad_(False)
    with torch.no_grad():
        for part, weight in model.named_parameters():
            if "norm" not in part and "embed_positions" not in part:
                weight.mul_(3 if "shared" in part or "embed" in part else 5)
        if hasattr(model, "final_logits_bias"):
            model.final_logits_bias.normal_()
    folder = root / "model"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder, model, tokenizer
