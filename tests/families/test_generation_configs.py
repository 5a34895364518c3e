"""How published models are decoded: every choice is the one that transformers makes."""

import copy
import dataclasses
import json
import math
import string

import numpy as np
import pytest
import torch
from transformers.generation import GenerationMixin
from transformers.generation.logits_process import (
    EncoderNoRepeatNGramLogitsProcessor,
    WhisperTimeStampLogitsProcessor,
)

import seq2seq
from seq2seq import Options, UserError
from seq2seq.data.audio import Audio, log_mel
from seq2seq.decoding.generation_config import DecoderPrompt, GenerationConfig
from seq2seq.decoding.logits_processors import after, forbid, no_copy
from seq2seq.families.language_codes import language_name
from seq2seq.inference.decode import detect_language, logits_processors
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.transcription import transcribe
from tests import published
from tests import vocabularies as made

published.hf.logging.set_verbosity_error()
published.hf.logging.disable_progress_bar()

TEXT = "The small cat sleeps on the old chair near the window."
GREEDY = {"method": "greedy", "beam_width": 1}
SOUND = np.random.default_rng(1).normal(0, 0.1, 12_000).astype(np.float32)


LAST = (
    "decoder.layer_norm.weight",
    "decoder.final_layer_norm.weight",
    "decoder.layers.2.final_layer_norm.weight",
)


def random_model(root, name, seed=0, certain=1.0, **settings):
    """Save a model whose outputs change from token to token, so that every processor can matter."""
    folder, model, tokenizer = published.save(root, name, **settings)
    vary(model, seed, certain)
    model.save_pretrained(folder)
    return folder, model, tokenizer


def vary(model, seed=0, certain=1.0):
    """Change weights so that outputs change from token to token."""
    torch.manual_seed(seed)
    with torch.no_grad():
        output = model.get_output_embeddings().weight
        output.copy_(certain * torch.randn_like(output))
        for key, weight in model.named_parameters():
            if key.endswith(LAST):  # else what was read last would be the likeliest to come
                weight.copy_(torch.randn_like(weight))
            elif "encoder_attn" in key and "norm" not in key:
                weight.mul_(4)
            elif key.endswith("decoder.embed_positions.weight") and "Sinus" not in str(model):
                weight.copy_(torch.randn_like(weight))


def configured(folder, model, **settings):
    """Write a generation_config.json, for both sides."""
    path = folder / "generation_config.json"
    values = json.loads(path.read_text()) | settings
    # Else what is not in every model's settings would not be read.
    values = {key: v for key, v in values.items() if v is not None and not key.startswith("_")}
    path.write_text(json.dumps(values))
    model.generation_config = type(model.generation_config).from_pretrained(folder)
    return seq2seq.load(folder)


def ended(row, eos):
    row = list(row)
    return row[: row.index(eos) + 1] if eos in row else row


# --- Whisper


def ids(tokenizer, *pieces):
    return [tokenizer.convert_tokens_to_ids(piece) for piece in pieces]


def whisper_settings(tokenizer, english):
    """Return what the published generation_config.json says, for a small vocabulary."""
    sot, translate, transcribe_id, quiet, lm, prev, nospeech = ids(
        tokenizer,
        *("<|startoftranscript|>", "<|translate|>", "<|transcribe|>", "<|notimestamps|>"),
        *("<|startoflm|>", "<|startofprev|>", "<|nospeech|>"),
    )
    settings = {
        "alignment_heads": [[0, 0]],
        "begin_suppress_tokens": [220, tokenizer.eos_token_id],
        "decoder_start_token_id": sot,
        "is_multilingual": not english,
        "max_initial_timestamp_index": 20,
        "max_length": 30,
        "no_timestamps_token_id": quiet,
        "suppress_tokens": [1, 2, 7, sot, translate, transcribe_id, lm, prev, nospeech],
        "return_timestamps": False,
    }
    if english:
        return settings | {"forced_decoder_ids": [[1, quiet]]}
    codes = ("en", "zh", "de", "es", "ru", "ko", "fr", "haw", "yue")
    names = [f"<|{code}|>" for code in codes]
    return settings | {
        "forced_decoder_ids": [[1, None], [2, transcribe_id]],
        "lang_to_id": dict(zip(names, ids(tokenizer, *names), strict=True)),
        "task_to_id": {"transcribe": transcribe_id, "translate": translate},
    }


@pytest.fixture(scope="module")
def whispers(tmp_path_factory):
    """Return both sides of a tiny Whisper by its kind: loaded, model, tokenizer, kind, folder."""
    found = {}

    def get(kind):
        if kind not in found:
            folder, model, tokenizer = random_model(tmp_path_factory.mktemp(kind), "whisper")
            settings = whisper_settings(tokenizer, kind == "english")
            found[kind] = configured(folder, model, **settings), model, tokenizer, kind, folder
        return found[kind]

    return get


@pytest.fixture(params=["multilingual", "english"])
def whisper(request, whispers):
    return whispers(request.param)


def frames_of(checkpoint, samples=SOUND):
    return log_mel(samples, checkpoint.model.config.bins, checkpoint.generation_config.window)


def whisper_outputs(whisper, samples=SOUND, **more):
    """Return transformers' prompt and greedy output of the first pass over a recording."""
    checkpoint, model, _, _, _ = whisper
    features = frames_of(checkpoint, samples).T[None]
    config, passes = copy.deepcopy(model.generation_config), []

    class Spied(type(model)):
        def _retrieve_init_tokens(self, *args, **kwargs):
            tokens = super()._retrieve_init_tokens(*args, **kwargs)
            passes.append(tokens[0].tolist())
            return tokens

        def generate_with_fallback(self, *args, **kwargs):
            found = super().generate_with_fallback(*args, **kwargs)
            passes.append(found[0][0].tolist())
            return found

    kind = type(model)
    model.__class__ = Spied
    try:
        model.generate(features, generation_config=config, num_beams=1, do_sample=False, **more)
    finally:
        model.__class__ = kind
    return passes[0], passes[1]


CHOICES = [
    ("multilingual", {}, {}),
    ("english", {}, {}),
    ("multilingual", {"language": "fr"}, {"source_language": "fr"}),
    (
        "multilingual",
        {"language": "de", "task": "translate"},
        {"source_language": "de", "target_language": "en"},
    ),
    ("multilingual", {"task": "translate"}, {"target_language": "en"}),
    (
        "multilingual",
        {"language": "de", "task": "transcribe"},
        {"source_language": "de", "target_language": "de"},
    ),
]


@pytest.mark.parametrize("times", [False, True])
@pytest.mark.parametrize(("kind", "theirs", "options"), CHOICES)
def test_whisper_writes_what_transformers_writes(whispers, kind, theirs, options, times):
    whisper = whispers(kind)
    checkpoint, _, tokenizer, _, _ = whisper
    prompt, expected = whisper_outputs(whisper, return_timestamps=times, **theirs)
    options = dataclasses.replace(
        checkpoint.generation_config.options, **GREEDY, **options, timestamps=times
    )
    trace = seq2seq.run(checkpoint, Audio(SOUND, 0.75), options)
    start = decoder_prompt(checkpoint, trace.options).start
    written = trace.options.source_language
    if kind == "multilingual" and "language" not in theirs:
        assert f"Detected: {language_name(written)}." in trace.notes
    eos = tokenizer.eos_token_id
    assert list(start) == prompt
    assert ended([*trace.target.ids, eos], eos) == ended([*expected, eos], eos)
    assert len(trace.target.ids) > 3
    first = tokenizer.convert_tokens_to_ids("<|0.00|>")
    assert sum(token >= first for token in trace.target.ids) > 2
    # Times are tokens of the target, and no part of its text.
    assert "<|" not in trace.text
    plain = [t for t in trace.target.ids if t < first and t not in tokenizer.all_special_ids]
    assert trace.text == checkpoint.tokenizer.decode(plain)
    if times:
        assert trace.target.pieces[0] == f"<|{(trace.target.ids[0] - first) * 0.02:.2f}|>"


def test_the_language_that_is_heard_is_that_of_transformers(whisper):
    checkpoint, model, _, kind, _ = whisper
    if kind == "english":
        assert checkpoint.generation_config.language_leads == ""
        return
    heard = set()
    for seed in range(3):
        samples = np.random.default_rng(seed).normal(0, 0.02 * (seed + 1), 9_000).cumsum()
        frames = frames_of(checkpoint, (samples / abs(samples).max()).astype(np.float32))
        memory = checkpoint.model.encode(frames[None])
        ours = detect_language(checkpoint, memory, Options()).source_language
        theirs = model.detect_language(frames.T[None])
        assert checkpoint.tokenizer.languages[ours] == theirs.item()
        heard.add(ours)
    assert next(iter(checkpoint.tokenizer.languages)) not in heard


def test_many_recordings_are_heard_as_one_by_one(whisper):
    checkpoint = whisper[0]
    others = [SOUND, SOUND[::-1].copy(), (SOUND * np.linspace(0, 1, 12_000)).astype(np.float32)]
    found = transcribe(checkpoint, [frames_of(checkpoint, each) for each in others])
    alone = [seq2seq.run(checkpoint, Audio(each, 0.75)) for each in others]
    assert [each.hypotheses[0].tokens for each in found] == [t.target.ids for t in alone]


@pytest.mark.parametrize("latest", [0, 1, 50, 2000])
def test_the_rule_for_times_is_that_of_transformers(whisper, latest):
    checkpoint, model, tokenizer, _, _ = whisper
    size, eos = model.config.vocab_size, tokenizer.eos_token_id
    quiet, first = ids(tokenizer, "<|notimestamps|>", "<|0.00|>")
    config = copy.deepcopy(model.generation_config)
    config.max_initial_timestamp_index, config.eos_token_id = latest, eos
    theirs = WhisperTimeStampLogitsProcessor(config, begin_index=3)
    speech = dataclasses.replace(checkpoint.generation_config.speech, latest_start=latest)
    alone = GenerationConfig(start=(0,), speech=speech)
    options = Options(timestamps=True)
    processors = logits_processors(
        dataclasses.replace(checkpoint, generation_config=alone), options, DecoderPrompt(())
    )
    generator = torch.Generator().manual_seed(latest)
    choices = [first, first + 1, first + 9, first + 700, size - 1, 0, 5, 30, eos, quiet - 1]
    timed = 0
    for step in [0, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6]:
        picks = torch.randint(len(choices), (24, step), generator=generator)
        history = torch.tensor(choices)[picks].reshape(24, step)
        logits = 3 * torch.randn(24, size, generator=generator)
        logits[:9, quiet] += 12
        logits[:12, first:] -= 6  # else times are always likelier
        logits[18:] -= 9 * (torch.rand(6, size, generator=generator) < 0.9)
        expected = theirs(torch.cat([torch.full((24, 3), 1), history], dim=1), logits)
        ours = logits.log_softmax(-1)
        for processor in processors:
            ours = processor(ours, history)
        assert torch.equal(ours.isinf(), expected.isinf())
        timed += int((expected[:, :first].isinf().all(1)).sum())
    assert 24 < timed < 24 * 11


def test_what_whisper_may_not_say_is_never_said(whisper):
    checkpoint, model, _, _, _ = whisper
    settings = model.generation_config
    generation_config = checkpoint.generation_config
    assert list(generation_config.forbidden) == settings.suppress_tokens
    assert list(generation_config.forbidden_first) == settings.begin_suppress_tokens
    for beams in (1, 5):
        options = dataclasses.replace(
            generation_config.options, method="beam", beam_width=beams, timestamps=beams == 1
        )
        said = seq2seq.run(checkpoint, Audio(SOUND, 0.75), options).beam_tree.token
        assert not set(said.tolist()) & set(generation_config.forbidden)


@pytest.mark.parametrize("times", [False, True])
def test_a_prefix_need_not_obey_the_rules(whisper, times):
    checkpoint = whisper[0]
    options = Options(prefix='"#$ hello', timestamps=times, max_length=20, beam_width=2)
    trace = seq2seq.run(checkpoint, Audio(SOUND, 0.75), options)
    assert trace.text.strip().startswith('"#$ hello')


def test_a_whisper_may_be_set_to_one_language(whisper):
    _, _, tokenizer, kind, folder = whisper
    if kind == "english":
        return
    french, transcribe_id, translate = ids(tokenizer, "<|fr|>", "<|transcribe|>", "<|translate|>")
    for settings, expected in (
        ({"language": "french", "task": "transcribe"}, ("fr", "")),
        ({"language": "<|fr|>"}, ("fr", "")),
        ({"language": "fr", "task": "translate"}, ("fr", "en")),
        ({"language": "klingon"}, ("", "")),
        ({"language": 3}, ("", "")),
        ({"forced_decoder_ids": [[1, french], [2, transcribe_id]]}, ("fr", "")),
        ({"forced_decoder_ids": [[1, french], [2, translate]]}, ("fr", "en")),
        ({"forced_decoder_ids": "no"}, ("", "")),
        ({"is_multilingual": None}, ("", "")),
    ):
        before = (folder / "generation_config.json").read_text()
        values = json.loads(before) | settings
        (folder / "generation_config.json").write_text(json.dumps(values))
        generation_config = seq2seq.load(folder).generation_config
        (folder / "generation_config.json").write_text(before)
        options = generation_config.options
        assert (options.source_language, options.target_language) == expected
        assert generation_config.language_leads == "heard"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"source_language": "xx"}, "no language 'xx'"),
        ({"source_language": "fr", "target_language": "de"}, "translates to 'en' only"),
    ],
)
def test_whisper_refuses_what_it_cannot_do(whisper, options, said):
    checkpoint, _, _, kind, _ = whisper
    said = "knows English only: choose no other" if kind == "english" else said
    with pytest.raises(UserError, match=said):
        seq2seq.run(checkpoint, Audio(SOUND, 0.75), Options(**options))


@pytest.fixture(scope="module")
def full_sized(tmp_path_factory):
    """Return folders of Whispers with the vocabularies of the published ones, by what they hear."""
    found = {}

    def get(kind):
        if kind not in found:
            root = tmp_path_factory.mktemp(kind)
            ordinary = 50_257 + (kind != "english")
            codes = [f"{a}{b}" for a in "qxyz" for b in string.ascii_lowercase][:99]
            codes[:3] = ("en", "fr", "de")
            made.whisper(root / "files", ordinary=ordinary, codes=codes)
            tokenizer = published.hf.WhisperTokenizer.from_pretrained(root / "files")
            values = {**published.WHISPER, **published.token_ids("whisper", tokenizer)}
            values |= {"vocab_size": len(tokenizer)}
            model = published.hf.WhisperForConditionalGeneration(
                published.hf.WhisperConfig(**values)
            )
            model.save_pretrained(root / "model")
            tokenizer.save_pretrained(root / "model")
            found[kind] = root / "model", tokenizer
        return found[kind]

    return get


# What files of fine-tuned models say of an English-only one, and of a multilingual one.
MISLEADING = [
    {},
    {"forced_decoder_ids": None},
    {"is_multilingual": True},
    {"forced_decoder_ids": [[1, None], [2, 50_358]]},
    {"forced_decoder_ids": [[1, 50_259], [2, 50_359], [3, 50_363]]},
]


@pytest.mark.parametrize("says", MISLEADING)
def test_the_vocabulary_tells_a_whisper_that_hears_english_only(full_sized, says):
    folder, tokenizer = full_sized("english")
    assert len(tokenizer) == 51_864
    sot, quiet = ids(tokenizer, "<|startoftranscript|>", "<|notimestamps|>")
    (folder / "generation_config.json").write_text(
        json.dumps({"decoder_start_token_id": sot} | says)
    )
    checkpoint = seq2seq.load(folder)
    assert checkpoint.generation_config.language_leads == ""
    trace = seq2seq.run(checkpoint, Audio(SOUND, 0.75), Options(**GREEDY, max_length=3))
    assert decoder_prompt(checkpoint, trace.options).start == (sot, quiet)
    assert trace.notes == ()


@pytest.mark.parametrize("says", [*MISLEADING[:2], {"is_multilingual": False}, MISLEADING[4]])
def test_the_vocabulary_tells_a_whisper_that_hears_languages(full_sized, says):
    folder, tokenizer = full_sized("multilingual")
    assert len(tokenizer) == 51_865
    sot, transcribe_id, quiet = ids(
        tokenizer, "<|startoftranscript|>", "<|transcribe|>", "<|notimestamps|>"
    )
    (folder / "generation_config.json").write_text(
        json.dumps({"decoder_start_token_id": sot} | says)
    )
    checkpoint = seq2seq.load(folder)
    trace = seq2seq.run(checkpoint, Audio(SOUND, 0.75), Options(**GREEDY, max_length=3))
    code = checkpoint.tokenizer.languages[trace.options.source_language]
    assert decoder_prompt(checkpoint, trace.options).start == (sot, code, transcribe_id, quiet)


# --- instructions and languages


def answers(model, sources, count=1, **options):
    """Return transformers' outputs, without what the decoder reads first."""
    given = {"input_ids": torch.tensor([sources])}
    found = GenerationMixin.generate(
        model, **given, num_return_sequences=count, do_sample=False, **options
    )
    eos = model.generation_config.eos_token_id
    return [ended(row[1:], eos) for row in found.tolist()]


def ours_of(trace, checkpoint):
    """Return all outputs of a run, as ids."""
    tree, outputs = trace.beam_tree, []
    for output in trace.outputs:
        node, tokens = output.node, []
        while node >= 0:
            tokens.append(int(tree.token[node]))
            node = int(tree.parent[node])
        outputs.append(tokens[::-1])
    assert outputs[0] == list(trace.target.ids)
    return outputs


TASKS = {
    "summarization": {
        "prefix": "summarize: ",
        "early_stopping": True,
        "length_penalty": 2.0,
        "max_length": 40,
        "min_length": 12,
        "no_repeat_ngram_size": 3,
        "num_beams": 4,
    },
    "translation_en_to_de": {"prefix": "translate English to German: ", "num_beams": 4},
    "translation_en_to_fr": {
        "prefix": "translate English to French: ",
        "early_stopping": True,
        "max_length": 30,
        "num_beams": 4,
    },
    "no_text": {"prefix": None},
    "odd": 3,
}


def test_t5_is_told_what_to_do(tmp_path):
    folder, model, tokenizer = random_model(tmp_path, "t5")
    values = json.loads((folder / "config.json").read_text()) | {"task_specific_params": TASKS}
    (folder / "config.json").write_text(json.dumps(values))
    checkpoint = seq2seq.load(folder)
    generation_config = checkpoint.generation_config
    assert set(generation_config.instructions) == {n for n in TASKS if "ti" in n}
    options = generation_config.options
    assert options.instruction == "translate English to French:"
    assert (options.method, options.beam_width, options.max_length) == ("beam", 4, 29)
    trace = seq2seq.run(checkpoint, TEXT)
    expected = tokenizer("translate English to French: " + TEXT).input_ids
    assert list(trace.source.ids) == expected
    theirs = answers(model, expected, 4, num_beams=4, early_stopping=True, max_length=30)
    assert ours_of(trace, checkpoint) == theirs
    for text in generation_config.instructions.values():
        chosen = dataclasses.replace(options, instruction=text)
        trace = seq2seq.run(checkpoint, TEXT, chosen)
        assert list(trace.source.ids) == tokenizer(text + TEXT).input_ids
        assert trace.source.text == text + TEXT
    plain = seq2seq.run(checkpoint, TEXT, dataclasses.replace(options, instruction=""))
    assert list(plain.source.ids) == tokenizer(TEXT).input_ids


LANGUAGES = {
    "m2m100": ("de", "fr", "en"),
    "nllb": ("deu_Latn", "fra_Latn", "eng_Latn"),
    "mbart50": ("de_DE", "fr_XX", "en_XX"),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return both sides of a name, each made once: loaded, model, tokenizer, folder."""
    found = {}

    def get(name):
        if name not in found:
            folder, model, tokenizer = random_model(tmp_path_factory.mktemp(name), name)
            found[name] = seq2seq.load(folder), model, tokenizer, folder
        return found[name]

    return get


@pytest.mark.parametrize("name", LANGUAGES)
@pytest.mark.parametrize("source", [0, 1])
@pytest.mark.parametrize("target", [0, 1, 2])
def test_languages_lead_as_in_transformers(models, name, source, target):
    checkpoint, model, tokenizer, _ = models(name)
    source, target = LANGUAGES[name][source], LANGUAGES[name][target]
    tokenizer.src_lang = source
    expected = tokenizer(TEXT).input_ids
    options = Options(
        beam_width=3,
        early_stopping=False,
        max_length=11,
        source_language=source,
        target_language=target,
    )
    trace = seq2seq.run(checkpoint, TEXT, options)
    assert list(trace.source.ids) == expected
    first = tokenizer.convert_tokens_to_ids(f"__{target}__" if name == "m2m100" else target)
    theirs = answers(model, expected, 3, num_beams=3, max_length=12, forced_bos_token_id=first)
    assert trace.target.ids[0] == first
    assert trace.log_probabilities[0] < 0  # as the model gave it, though it was forced
    assert ours_of(trace, checkpoint) == theirs
    found = seq2seq.generate(checkpoint, [TEXT, "Winter."], options)
    assert found[0].hypotheses[0].tokens == trace.target.ids


def test_an_older_mbart_starts_with_the_language(models):
    checkpoint, model, tokenizer, folder = models("mbart25")
    assert checkpoint.generation_config.language_leads == "start"
    tokenizer.src_lang = "de_DE"
    expected = tokenizer(TEXT).input_ids
    options = Options(**GREEDY, max_length=11, source_language="de_DE", target_language="fr_XX")
    trace = seq2seq.run(checkpoint, TEXT, options)
    assert list(trace.source.ids) == expected
    first = tokenizer.convert_tokens_to_ids("fr_XX")
    theirs = answers(model, expected, max_length=12, num_beams=1, decoder_start_token_id=first)
    assert [list(trace.target.ids)] == theirs
    # As mbart-large-en-ro says it.
    values = json.loads((folder / "config.json").read_text())
    start = tokenizer.convert_tokens_to_ids("ro_RO")
    (folder / "config.json").write_text(json.dumps(values | {"decoder_start_token_id": start}))
    path = folder / "generation_config.json"
    path.write_text(json.dumps({"decoder_start_token_id": start}))
    generation_config = seq2seq.load(folder).generation_config
    assert generation_config.options.target_language == "ro_RO"
    assert generation_config.decoder_prompt(generation_config.options, {"ro_RO": start}).start == (
        start,
    )


def test_a_languages_token_stands_before_the_source(models):
    checkpoint, model, tokenizer, _ = models("marian-multilingual")
    theirs = checkpoint.generation_config.options
    assert (theirs.source_language, theirs.target_language) == ("", "fra")
    for code in ("fra", "deu_Latn"):
        options = Options(beam_width=3, early_stopping=False, max_length=11, target_language=code)
        expected = tokenizer(f">>{code}<< {TEXT}").input_ids
        trace = seq2seq.run(checkpoint, TEXT, options)
        assert list(trace.source.ids) == expected
        assert trace.source.pieces[0] == f">>{code}<<"
        assert trace.source.text == TEXT
        assert ours_of(trace, checkpoint) == answers(
            model, expected, 3, num_beams=3, max_length=12, bad_words_ids=None
        )
        found = seq2seq.generate(checkpoint, [TEXT], options)
        assert found[0].hypotheses[0].tokens == trace.target.ids
    # What was written by hand goes before what was chosen.
    trace = seq2seq.run(checkpoint, f">>fra<< {TEXT}", options)
    assert list(trace.source.ids) == tokenizer(f">>fra<< {TEXT}").input_ids


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("m2m100", {"source_language": "xx"}, "does not know the language 'xx'"),
        ("m2m100", {"target_language": "xx"}, "no language 'xx': of 100, the nearest are"),
        ("nllb", {"target_language": "fr"}, "no language 'fr'"),
        ("mbart50", {"target_language": "<mask>"}, "no language '<mask>'"),
        ("mbart25", {"target_language": "fr"}, "no language 'fr'"),
        ("marian-multilingual", {"target_language": "fr"}, "the language 'fr'"),
        ("marian-multilingual", {"source_language": "fra"}, "choose the target's alone"),
        ("t5", {"target_language": "fr"}, "no languages to choose from: leave them out"),
        ("bart", {"source_language": "fr"}, "language"),
    ],
)
def test_unknown_languages_are_refused(models, name, options, said):
    checkpoint = models(name)[0]
    with pytest.raises(UserError, match=said):
        seq2seq.run(checkpoint, TEXT, Options(**options))
    with pytest.raises(UserError, match=said):
        seq2seq.generate(checkpoint, [TEXT], Options(**options))


# --- what the authors decode with


@pytest.mark.parametrize("start", [1, 5])
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_rule_against_copies_is_that_of_transformers(size, start):
    generator = torch.Generator().manual_seed(size)
    source = torch.randint(4, 9, (1, 30), generator=generator)
    theirs = EncoderNoRepeatNGramLogitsProcessor(size, source)
    processor, forbidden = no_copy(size, source[0].tolist(), [start]), 0
    for step in range(8):
        history = torch.randint(3, 9, (40, step), generator=generator)
        logits = torch.randn(40, 12, generator=generator).log_softmax(-1)
        read = torch.cat([torch.full((40, 1), start), history], dim=1)
        expected = theirs(read, logits)
        torch.testing.assert_close(processor(logits, history), expected)
        forbidden += int(expected.isinf().sum())
    assert forbidden > 20


def blenderbot_like(tokenizer):
    return {
        "encoder_no_repeat_ngram_size": 3,
        "forced_eos_token_id": tokenizer.eos_token_id,
        "length_penalty": 0.65,
        "max_length": 30,
        "min_length": 12,
        "no_repeat_ngram_size": 3,
        "num_beams": 5,
    }


def bart_like(tokenizer):
    return {
        "early_stopping": True,
        "forced_bos_token_id": 0,
        "forced_eos_token_id": 2,
        "length_penalty": 2.0,
        "max_length": 40,
        "min_length": 20,
        "no_repeat_ngram_size": 3,
        "num_beams": 4,
    }


def marian_like(tokenizer):
    return {
        "bad_words_ids": [[tokenizer.pad_token_id]],
        "forced_eos_token_id": tokenizer.eos_token_id,
        "max_length": 30,
        "num_beams": 4,
        "renormalize_logits": True,
    }


def pegasus_like(tokenizer):
    return {
        "forced_eos_token_id": 1,
        "length_penalty": 0.8,
        "max_length": 25,
        "min_length": 3,
        "num_beams": 8,
    }


AUTHORS = [
    ("bart", bart_like),
    ("marian", marian_like),
    ("marian-separate", marian_like),
    ("blenderbot", blenderbot_like),
    ("blenderbot-small", blenderbot_like),
    ("pegasus", pegasus_like),
]


@pytest.mark.parametrize("certain", [0.3, 1.0])
@pytest.mark.parametrize(("name", "says"), AUTHORS)
def test_without_options_a_model_answers_as_in_transformers(tmp_path, name, says, certain):
    folder, model, tokenizer = random_model(tmp_path, name, certain=certain)
    model.final_logits_bias[0, tokenizer.pad_token_id] = 3  # so that it matters where it is bad
    model.save_pretrained(folder)
    checkpoint = configured(folder, model, **says(tokenizer))
    trace = seq2seq.run(checkpoint, TEXT)
    count = checkpoint.generation_config.options.beam_width
    assert ours_of(trace, checkpoint) == answers(model, list(trace.source.ids), count)
    assert [list(seq2seq.generate(checkpoint, [TEXT])[0].hypotheses[0].tokens)] == [
        list(trace.target.ids)
    ]


def test_a_copy_is_kept_from_the_output(tmp_path):
    """Weights that copy the source show what the processor does in a whole run."""
    folder, model, tokenizer = random_model(tmp_path, "blenderbot")
    outputs = {}
    for size in (0, 1, 2):
        checkpoint = configured(
            folder, model, encoder_no_repeat_ngram_size=size, num_beams=1, max_length=20
        )
        assert checkpoint.generation_config.no_copy_ngram == size
        trace = seq2seq.run(checkpoint, TEXT)
        assert [list(trace.target.ids)] == answers(model, list(trace.source.ids))
        outputs[size] = set(trace.target.ids) & set(trace.source.ids)
    assert outputs[1] <= {tokenizer.eos_token_id}


@pytest.mark.parametrize("name", ["bart", "blenderbot", "marian"])
@pytest.mark.parametrize("beams", [1, 3])
def test_any_of_several_tokens_ends_an_output(tmp_path, name, beams):
    folder, model, tokenizer = random_model(tmp_path, name, certain=0.3)
    said = answers(model, tokenizer(TEXT).input_ids, num_beams=1, max_length=12)[0]
    usual = tokenizer.eos_token_id
    ends = [usual, said[3], said[5], 40, 41]
    checkpoint = configured(
        folder, model, eos_token_id=ends, num_beams=beams, max_length=15, early_stopping=beams > 1
    )
    assert set(checkpoint.ends) == set(ends)
    trace = seq2seq.run(checkpoint, TEXT)
    found = GenerationMixin.generate(
        model,
        input_ids=torch.tensor([trace.source.ids]),
        num_return_sequences=beams,
        do_sample=False,
        pad_token_id=model.config.vocab_size - 1,
    )
    theirs = [row[1:] for row in found.tolist()]
    theirs = [
        row[: next((n for n, t in enumerate(row) if t in ends), len(row)) + 1] for row in theirs
    ]
    assert ours_of(trace, checkpoint) == theirs
    assert trace.target.ids[-1] in set(ends) - {usual}
    assert trace.outputs[0].finished


@pytest.mark.parametrize("size", [1, 2, 3])
def test_what_the_decoder_reads_first_counts_as_written(tmp_path, size):
    """A model that writes its start token again may not go on as it did at first."""
    folder, model, _ = random_model(tmp_path, "blenderbot")
    with torch.no_grad():
        model.final_logits_bias[0, [1, 40, 41]] = torch.tensor([9.0, 10.0, 8.0])
    model.save_pretrained(folder)
    checkpoint = configured(
        folder, model, no_repeat_ngram_size=size, num_beams=1, max_length=20, min_length=12,
        encoder_no_repeat_ngram_size=0,
    )  # fmt: skip
    trace = seq2seq.run(checkpoint, TEXT)
    assert [list(trace.target.ids)] == answers(model, list(trace.source.ids))


@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize("penalty", [1.3, 3.0, 0.7])
def test_repeats_are_penalised_as_in_transformers(tmp_path, beams, penalty):
    folder, model, _ = random_model(tmp_path, "blenderbot", certain=0.5)
    checkpoint = configured(
        folder,
        model,
        repetition_penalty=penalty,
        num_beams=beams,
        max_length=16,
        encoder_no_repeat_ngram_size=0,
        early_stopping=beams > 1,
    )
    assert checkpoint.notes == ()
    trace = seq2seq.run(checkpoint, TEXT)
    assert ours_of(trace, checkpoint) == answers(model, list(trace.source.ids), beams)
    plain = dataclasses.replace(checkpoint.generation_config.options, repetition_penalty=1.0)
    assert seq2seq.run(checkpoint, TEXT, plain).target.ids != trace.target.ids


@pytest.mark.parametrize("beams", [1, 3])
def test_bad_words_of_several_tokens_are_never_completed(tmp_path, beams):
    folder, model, _ = random_model(tmp_path, "bart", certain=0.5)
    settings = {"num_beams": beams, "max_length": 14, "early_stopping": beams > 1}
    checkpoint = configured(folder, model, **settings)
    said = list(seq2seq.run(checkpoint, TEXT).target.ids)
    bad = [said[:2], said[3:6], [said[7]], [model.generation_config.eos_token_id], [5, 6, 7]]
    bad += [[model.generation_config.decoder_start_token_id, said[0]]]
    checkpoint = configured(folder, model, bad_words_ids=bad, **settings)
    assert checkpoint.notes == ()
    trace = seq2seq.run(checkpoint, TEXT)
    assert list(trace.target.ids) != said
    assert ours_of(trace, checkpoint) == answers(model, list(trace.source.ids), beams)


def test_settings_of_the_config_do_not_count_beside_a_generation_config(tmp_path):
    folder, _, _ = random_model(tmp_path, "bart")
    values = json.loads((folder / "config.json").read_text())
    legacy = {"num_beams": 4, "max_length": 2, "forced_bos_token_id": 7, "length_penalty": 3.0}
    (folder / "config.json").write_text(json.dumps(values | legacy))
    found = seq2seq.load(folder).generation_config
    assert (found.options.beam_width, found.options.max_length, found.forced) == (1, 0, ())
    (folder / "generation_config.json").unlink()
    found = seq2seq.load(folder).generation_config
    assert (found.options.beam_width, found.options.max_length, found.forced) == (4, 1, (7,))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"num_beams": 3, "early_stopping": "never"}, "early_stopping of 'never'"),
        ({"num_beams": 3, "length_penalty": -1.0}, "length_penalty of -1.0"),
    ],
)
def test_what_a_search_cannot_do_is_named(tmp_path, settings, named):
    folder, _, _ = published.save(tmp_path, "bart")
    path = folder / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    (note,) = seq2seq.load(folder).notes
    assert named in note


def test_a_rule_may_be_held_back():
    processor = after(2, forbid([0]))
    scores = torch.zeros(1, 3)
    assert not processor(scores.clone(), torch.zeros(1, 1)).isinf().any()
    assert processor(scores.clone(), torch.zeros(1, 2))[0].tolist() == [-math.inf, 0, 0]


@pytest.mark.parametrize("token", [0, 5])
def test_any_token_may_start_an_output(tmp_path, token):
    folder, model, _ = random_model(tmp_path, "bart")
    checkpoint = configured(folder, model, decoder_start_token_id=token, num_beams=1)
    assert checkpoint.generation_config.start == (token,)
    trace = seq2seq.run(checkpoint, TEXT, Options(**GREEDY, max_length=9))
    assert [list(trace.target.ids)] == answers(model, list(trace.source.ids), max_length=10)


def test_settings_that_are_not_followed_are_named(tmp_path):
    folder, _, _ = published.save(tmp_path, "bart")
    path = folder / "generation_config.json"
    settings = json.loads(path.read_text())
    path.write_text(json.dumps(settings | {"typical_p": 0.9, "num_beams": 16}))
    (note,) = seq2seq.load(folder).notes
    assert "typical_p" in note
    assert "num_beams of 16" in note
    chance = {"do_sample": True, "num_beams": 1, "temperature": 0.7, "top_k": 12, "top_p": 0.8}
    path.write_text(json.dumps(settings | chance))
    checkpoint = seq2seq.load(folder)
    assert checkpoint.notes == ()
    options = checkpoint.generation_config.options
    assert (options.method, options.temperature) == ("sample", 0.7)
    assert (options.top_k, options.top_p) == (12, 0.8)
