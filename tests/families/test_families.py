"""Parity with transformers on tiny random models of every family, offline."""

import dataclasses
import json

import pytest
import torch
import transformers as hf
from transformers.generation import GenerationMixin

from seq2seq.catalogue import Card
from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.search import Steering, search
from seq2seq.families.generation_configs import read_generation_config
from seq2seq.families.loading import read_model
from seq2seq.inference.decode import logits_processors

CARD = Card("tiny", "A tiny model", "translation", "CC0-1.0")

TINY = {"vocab_size": 61, "d_model": 16}
DEEP = {"encoder_layers": 2, "decoder_layers": 3}
FAIRSEQ = {
    **TINY,
    **DEEP,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 20,
    "max_position_embeddings": 40,
    "dropout": 0.0,
}
T5 = {**TINY, "d_kv": 6, "d_ff": 24, "num_heads": 4, "num_layers": 2}
TOKENS = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2}
WHISPER = {**FAIRSEQ, **TOKENS, "num_mel_bins": 8, "max_source_positions": 30}
WHISPER |= {"max_target_positions": 40, "pad_token_id": 60, "begin_suppress_tokens": [4]}

# Each variant of a family that takes another way through the code.
VARIANTS = {
    "marian": (
        hf.MarianMTModel,
        hf.MarianConfig,
        {**FAIRSEQ, "pad_token_id": 60, "eos_token_id": 0, "decoder_start_token_id": 60}
        | {"activation_function": "swish", "scale_embedding": True},
    ),
    "marian, two vocabularies": (
        hf.MarianMTModel,
        hf.MarianConfig,
        {**FAIRSEQ, "pad_token_id": 50, "eos_token_id": 0, "decoder_start_token_id": 50}
        | {"share_encoder_decoder_embeddings": False, "decoder_vocab_size": 53}
        | {"activation_function": "relu", "scale_embedding": True},
    ),
    "t5 1.0": (
        hf.T5ForConditionalGeneration,
        hf.T5Config,
        {**T5, "decoder_start_token_id": 0, "relative_attention_num_buckets": 8}
        | {"relative_attention_max_distance": 12},
    ),
    "t5 1.1": (
        hf.T5ForConditionalGeneration,
        hf.T5Config,
        {**T5, "decoder_start_token_id": 0, "feed_forward_proj": "gated-gelu"}
        | {"tie_word_embeddings": False},
    ),
    "mt5": (
        hf.MT5ForConditionalGeneration,
        hf.MT5Config,
        {**T5, "decoder_start_token_id": 0, "feed_forward_proj": "gated-gelu"},
    ),
    "umt5": (
        hf.UMT5ForConditionalGeneration,
        hf.UMT5Config,
        {**T5, "decoder_start_token_id": 0, "feed_forward_proj": "gated-gelu"},
    ),
    "mvp": (hf.MvpForConditionalGeneration, hf.MvpConfig, {**FAIRSEQ, **TOKENS}),
    "plbart": (
        hf.PLBartForConditionalGeneration,
        hf.PLBartConfig,
        {**FAIRSEQ, **TOKENS, "scale_embedding": True},
    ),
    "bart": (hf.BartForConditionalGeneration, hf.BartConfig, {**FAIRSEQ, **TOKENS}),
    "bart, scaled": (
        hf.BartForConditionalGeneration,
        hf.BartConfig,
        {**FAIRSEQ, **TOKENS, "scale_embedding": True, "activation_function": "relu"},
    ),
    "pegasus": (
        hf.PegasusForConditionalGeneration,
        hf.PegasusConfig,
        {**FAIRSEQ, "pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
        | {"scale_embedding": True, "activation_function": "relu"},
    ),
    "blenderbot": (
        hf.BlenderbotForConditionalGeneration,
        hf.BlenderbotConfig,
        {**FAIRSEQ, **TOKENS, "encoder_no_repeat_ngram_size": 0, "scale_embedding": True},
    ),
    "blenderbot-small": (
        hf.BlenderbotSmallForConditionalGeneration,
        hf.BlenderbotSmallConfig,
        {**FAIRSEQ, **TOKENS},
    ),
    "mbart": (
        hf.MBartForConditionalGeneration,
        hf.MBartConfig,
        {**FAIRSEQ, **TOKENS, "scale_embedding": True},
    ),
    "m2m_100": (
        hf.M2M100ForConditionalGeneration,
        hf.M2M100Config,
        {**FAIRSEQ, **TOKENS, "scale_embedding": True, "activation_function": "relu"},
    ),
    "whisper": (hf.WhisperForConditionalGeneration, hf.WhisperConfig, WHISPER),
}
every_variant = pytest.mark.parametrize("variant", VARIANTS)


def reference_of(variant):
    """Build a random model of transformers, sure enough of itself that outputs differ."""
    kind, config, values = VARIANTS[variant]
    torch.manual_seed(3)
    model = kind(config(**values, attn_implementation="eager")).eval()
    model.set_attn_implementation("eager")
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "embed_positions" in name and "Sinus" in str(model):
                continue
            if "norm" not in name:
                weight.mul_(3)
            weight.add_(0.1 * torch.randn_like(weight))
        if "1.1" in variant:
            model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.lm_head.weight))
        if hasattr(model, "final_logits_bias"):
            model.final_logits_bias.copy_(torch.randn_like(model.final_logits_bias))
        let_some_outputs_end(model)
    return model.requires_grad_(False)


def let_some_outputs_end(model):
    """Find a vector for the end with which the outputs of a beam have several lengths."""
    given, _ = sources(model)
    output, eos = model.get_output_embeddings().weight, model.generation_config.eos_token_id
    for attempt in range(100):
        output[eos] = 1.5 * output.std() * torch.randn_like(output[eos])
        if hasattr(model, "final_logits_bias"):
            model.final_logits_bias[0, eos] = attempt % 20
        beams, _ = generated(model, given, max_length=13, num_beams=4, num_return_sequences=4)
        if len({len(row) for row in beams}) > 1 and max(map(len, beams)) > 6:
            return
    raise AssertionError("Choose another seed: all outputs are of one length.")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("families")


@pytest.fixture(scope="module", params=list(VARIANTS))
def both(request, root):
    """Return a model of transformers, and ours read from the folder it was saved to."""
    reference, folder = reference_of(request.param), root / request.param
    reference.save_pretrained(folder)
    values = json.loads((folder / "config.json").read_text())
    return reference, read_model(folder, values), request.param


@pytest.fixture
def folder(both, root):
    return root / both[2]


def sources(reference):
    """Two sources of unequal length, padded, with their mask; for audio, frames."""
    torch.manual_seed(5)
    if "num_mel_bins" in reference.config.to_dict():
        frames = torch.randn(2, 2 * reference.config.max_source_positions, 8)
        return {"input_features": frames.transpose(1, 2)}, frames
    pad = reference.config.pad_token_id
    ids = torch.randint(4, 48, (2, 9))
    ids[1, 6:] = pad
    return {"input_ids": ids, "attention_mask": (ids != pad).long()}, ids


def test_logits_states_and_every_attention_are_those_of_transformers(both):
    reference, ours, _ = both
    given, source = sources(reference)
    target = torch.randint(4, 48, (2, 7))
    theirs = reference(
        **given, decoder_input_ids=target, output_attentions=True, output_hidden_states=True
    )
    memory = ours.encode(source, record=True)
    steps = ours.decoder(target, memory, record=True)
    close = {"rtol": 1e-4, "atol": 1e-5}
    # An output matrix without a scale has logits of some hundreds, and roundings to match.
    near = 1e-5 * max(10.0, float(theirs.logits.abs().max()))
    torch.testing.assert_close(steps.logits, theirs.logits, rtol=1e-4, atol=near)
    mask = memory.mask
    torch.testing.assert_close(memory.states[mask], theirs.encoder_last_hidden_state[mask], **close)
    encoder = torch.stack(theirs.encoder_attentions, dim=1)
    seen = mask[:, None, None, :, None].expand_as(encoder)
    torch.testing.assert_close(memory.weights[seen], encoder[seen], **close)
    cross = torch.stack(theirs.cross_attentions, dim=1).permute(0, 3, 1, 2, 4)
    torch.testing.assert_close(steps.weights, cross, **close)
    own = torch.stack(theirs.decoder_attentions, dim=1).permute(0, 3, 1, 2, 4)
    torch.testing.assert_close(steps.self_weights, own, **close)


# --- the search finds what transformers finds


class NoTokenizer:
    """Stands in where only ids matter."""

    special, languages = frozenset(), {}

    def __len__(self):
        return 0

    def pieces(self, ids):
        return tuple(map(str, ids))


def search_with(folder, ours, source, **options):
    values = json.loads((folder / "config.json").read_text())
    generation_config = read_generation_config(folder, values, ours.config, NoTokenizer())
    chosen = dataclasses.replace(generation_config.options, **options)
    checkpoint = Checkpoint(ours, NoTokenizer(), CARD, generation_config)
    prompt = generation_config.decoder_prompt(chosen, {})
    processors = logits_processors(checkpoint, chosen, prompt)
    with torch.inference_mode():
        memory = ours.encode(source)
        steering = Steering(processors)
        return search(ours.decoder, memory, chosen, prompt.start, ours.config.eos, steering)


def generated(reference, given, **options):
    """Return transformers' sequences and scores, without start tokens and what follows the end."""
    found = GenerationMixin.generate(
        reference,
        **given,
        use_cache=False,  # with one, T5 cannot have decoders of another depth
        do_sample=False,
        return_dict_in_generate=True,
        output_scores=True,
        **options,
    )
    config = reference.generation_config
    eos, rows = config.eos_token_id, found.sequences[:, 1:].tolist()
    rows = [row[: row.index(eos) + 1] if eos in row else row for row in rows]
    return rows, getattr(found, "sequences_scores", None)


def test_greedy_is_that_of_transformers(both, folder):
    reference, ours, _ = both
    given, source = sources(reference)
    expected, _ = generated(reference, given, max_length=13, num_beams=1)
    found = search_with(folder, ours, source, method="greedy", max_length=12)
    assert [list(each.hypotheses[0].tokens) for each in found] == expected


@pytest.mark.parametrize(
    ("theirs", "options"),
    [
        ({"length_penalty": 1.0}, {"length_penalty": 1.0}),
        ({"length_penalty": 2.0, "early_stopping": True}, {"length_penalty": 2.0}),
        (
            {"no_repeat_ngram_size": 2, "min_length": 7, "early_stopping": True},
            {"no_repeat_ngram": 2, "min_length": 6},
        ),
    ],
)
def test_beams_are_those_of_transformers(both, folder, theirs, options):
    reference, ours, _ = both
    given, source = sources(reference)
    expected, scores = generated(
        reference, given, max_length=13, num_beams=4, num_return_sequences=4, **theirs
    )
    stops = theirs.get("early_stopping", False)
    found = search_with(
        folder, ours, source, beam_width=4, max_length=12, method="beam", early_stopping=stops,
        **options,
    )  # fmt: skip
    assert len({len(row) for row in expected}) > 1 or stops
    ours_all = [hypothesis for each in found for hypothesis in each.hypotheses]
    assert [list(each.tokens) for each in ours_all] == expected
    assert [each.score for each in ours_all] == pytest.approx(scores.tolist(), abs=1e-4)


def test_in_bfloat16_it_says_nearly_the_same(both, folder):
    """What a GPU computes in; here on the CPU."""
    _, ours, _ = both
    values = json.loads((folder / "config.json").read_text())
    half = read_model(folder, values, torch.bfloat16)
    _, source = sources(both[0])
    target = torch.randint(4, 48, (2, 7))
    steps = half.decoder(target, half.encode(source, record=True), record=True)
    assert steps.logits.dtype == torch.bfloat16
    exact = ours.decoder(target, ours.encode(source)).logits
    both_ways = torch.stack([steps.logits.float().flatten(), exact.flatten()])
    assert torch.corrcoef(both_ways)[0, 1] > 0.95
    found = search_with(folder, half, source, beam_width=3, max_length=8, method="beam")
    assert all(each.hypotheses for each in found)
