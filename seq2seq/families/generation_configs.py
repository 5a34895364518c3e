"""Other people's generation_config.json, as our GenerationConfig."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from seq2seq.data.tokenizer import Tokenizer
from seq2seq.decoding.generation_config import ENGLISH, GenerationConfig, SpeechTokens
from seq2seq.decoding.options import MAX_BEAM_WIDTH, MAX_INSTRUCTION, MAX_LENGTH, Options
from seq2seq.errors import UserError
from seq2seq.families.configs import Values, read_json, shown
from seq2seq.families.language_codes import SPOKEN
from seq2seq.models.config import TransformerConfig

# What transformers takes from config.json where there is no generation_config.json.
LEGACY = (
    "bad_words_ids",
    "begin_suppress_tokens",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "eos_token_id",
    "forced_bos_token_id",
    "forced_decoder_ids",
    "forced_eos_token_id",
    "length_penalty",
    "max_length",
    "min_length",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "repetition_penalty",
    "suppress_tokens",
    "temperature",
    "top_k",
    "top_p",
)
# Tokens of the smallest multilingual Whisper; one with fewer hears English only. Tiny models made
# for tests have fewer than any published one, and are what their files say.
MULTILINGUAL, PUBLISHED = 51_865, 50_000
MOST_WORDS = 100_000  # of those that must not be written
WINDOW = 30.0  # seconds of sound that Whisper was trained on
# Where a model knows many languages and its files choose none.
USUAL = {"en": ("en", "en_XX", "eng_Latn"), "fr": ("fr", "fr_XX", "fra_Latn", "fra")}


def read_generation_config(
    folder: Path,
    values: Values,
    config: TransformerConfig,
    tokenizer: Tokenizer,
    task: str = "translation",
) -> GenerationConfig:
    """Read what a model's files say of decoding with it; `values` is the parsed config.json.

    task: what it is used for, of several that it can do. What asks for more than there is here,
    such as a thousand beams, gets the most there is.
    Raises UserError if generation_config.json is damaged or says what cannot be.
    """
    given = _settings(folder, values)
    family, tasks = values["model_type"], _tasks(values, task)
    # What an instruction's task says goes before what the whole model says.
    given |= tasks[0][1] if tasks else {}
    start = _named(given, "decoder_start_token_id", config)
    start = config.bos if start is None else start
    first = _named(given, "forced_bos_token_id", config)
    whisper = family == "whisper"
    speech = _speech(given, tokenizer, config) if whisper else None
    leads = _language_leads(family, tokenizer, speech)
    if whisper:
        source, target = _heard(given, tokenizer, leads)
    else:
        source, target = _languages(folder, tokenizer, leads, start if first is None else first)
    # Their lengths count what the decoder reads first, but for speech.
    read_first = 0 if whisper else 1
    return GenerationConfig(
        start=(start,),
        forced=() if first is None else (first,),
        ends=_ends(given, config),
        end_at_limit=_named(given, "forced_eos_token_id", config),
        forbidden=_tokens(given, "suppress_tokens", config) + _bad_words(given, config),
        forbidden_first=_tokens(given, "begin_suppress_tokens", config),
        forbidden_sequences=_bad_sequences(given, config),
        renormalise=given.get("renormalize_logits") is True,
        no_copy_ngram=_whole(given, "encoder_no_repeat_ngram_size", 0, 10),
        instructions={name: str(task["prefix"]) for name, task in tasks},
        window=WINDOW * config.max_source / 1500 if whisper else 0.0,
        language_leads=leads,
        speech=speech,
        ignored=_ignored(given),
        options=_options(given, read_first, tasks, source, target),
    )


def _settings(folder: Path, values: Values) -> Values:
    """Return generation_config.json, or what config.json says in its place where there is none."""
    path = folder / "generation_config.json"
    given = read_json(path) if path.is_file() else {name: values.get(name) for name in LEGACY}
    # Of speech models alone transformers asks config.json too.
    prompt = values.get("forced_decoder_ids") if values["model_type"] == "whisper" else None
    if given.get("forced_decoder_ids") is None:
        given["forced_decoder_ids"] = prompt
    return {name: value for name, value in given.items() if value is not None}


def _ends(given: Values, config: TransformerConfig) -> tuple[int, ...]:
    """Return the tokens beside the usual one that end an output."""
    listed = given.get("eos_token_id")
    tokens = _tokens({"ends": listed if isinstance(listed, list) else [listed]}, "ends", config)
    return tuple(dict.fromkeys(token for token in tokens if token != config.eos))


# Settings that have no counterpart here, with the values at which they do nothing.
NOT_FOLLOWED: dict[str, tuple[Any, ...]] = {
    "encoder_repetition_penalty": (1.0, 1),
    "diversity_penalty": (0.0, 0),
    "num_beam_groups": (1,),
    "exponential_decay_length_penalty": (),
    "penalty_alpha": (0.0, 0),
    "typical_p": (1.0, 1),
    "epsilon_cutoff": (0.0, 0),
    "eta_cutoff": (0.0, 0),
    "min_p": (0.0, 0),
    "sequence_bias": (),
}


def _ignored(given: Values) -> tuple[str, ...]:
    """Name the settings that change outputs elsewhere and not here."""
    left = [key for key, idle in NOT_FOLLOWED.items() if key in given and given[key] not in idle]
    if given.get("early_stopping") == "never":
        left.append("early_stopping of 'never'")
    if _number(given, "length_penalty", 1.0) < 0:
        left.append(f"length_penalty of {given['length_penalty']}")
    for key, most in (("num_beams", MAX_BEAM_WIDTH), ("max_length", MAX_LENGTH + 1)):
        if type(given.get(key)) is int and given[key] > most:
            left.append(f"{key} of {min(given[key], 10**9)}")
    return tuple(left)


def _options(
    given: Values, read_first: int, tasks: list[tuple[str, Values]], source: str, target: str
) -> Options:
    beams = _whole(given, "num_beams", 1, MAX_BEAM_WIDTH)
    longest = _whole(given, "max_length", 0, MAX_LENGTH + 1) - read_first
    longest = _whole(given, "max_new_tokens", longest, MAX_LENGTH)
    shortest = _whole(given, "min_length", 0, MAX_LENGTH) - read_first
    by_chance = given.get("do_sample") is True and beams <= 1
    return Options(
        method="sample" if by_chance else "beam" if beams > 1 else "greedy",
        beam_width=1 if by_chance else max(1, beams),
        temperature=min(10.0, max(0.01, _number(given, "temperature", 1.0))),
        top_k=_whole(given, "top_k", 50, 1_000_000) if by_chance else 0,
        top_p=min(1.0, max(0.01, _number(given, "top_p", 1.0))),
        length_penalty=min(5.0, max(0.0, _number(given, "length_penalty", 1.0))),
        early_stopping=given.get("early_stopping") is True,
        max_length=min(MAX_LENGTH, max(0, longest)),
        min_length=max(0, shortest),
        no_repeat_ngram=_whole(given, "no_repeat_ngram_size", 0, 10),
        repetition_penalty=min(10.0, max(0.1, _number(given, "repetition_penalty", 1.0))),
        instruction=str(tasks[0][1]["prefix"]).strip()[:MAX_INSTRUCTION] if tasks else "",
        source_language=source,
        target_language=target,
    )


def _tasks(values: Values, wanted: str) -> list[tuple[str, Values]]:
    """Return the tasks that have a text of their own to be put before the source, wanted first."""
    params = values.get("task_specific_params")
    if not isinstance(params, dict):
        return []
    tasks = [
        (str(name), task)
        for name, task in params.items()
        if isinstance(task, dict) and isinstance(task.get("prefix"), str)
    ]
    return sorted(
        tasks, key=lambda task: (not task[0].startswith(wanted), task[0] != "translation_en_to_fr")
    )


def _languages(folder: Path, tokenizer: Tokenizer, leads: str, first: int) -> tuple[str, str]:
    """Choose the languages of source and target: those of the files, else English to French.

    first: the token that outputs begin with, or that the decoder reads first.
    """
    known = tokenizer.languages
    if not leads:
        return "", ""
    files = read_json(folder / "tokenizer_config.json")
    told = [code for code, token in known.items() if token == first]
    source = [files.get("src_lang"), *USUAL["en"], *known]
    target = [*told, files.get("tgt_lang"), *USUAL["fr"], *known]
    chosen = [
        next(c for c in codes if isinstance(c, str) and c in known) for codes in (source, target)
    ]
    return "" if leads == "source" else chosen[0], chosen[1]


def _language_leads(family: str, tokenizer: Tokenizer, speech: SpeechTokens | None) -> str:
    if not tokenizer.languages:
        return ""
    if family == "whisper":
        return "heard" if speech and speech.transcribe is not None else ""
    if family == "mbart":  # the newer one begins its sources with the language, the older ends them
        return "forced" if tokenizer.around()[0] else "start"
    return {"m2m_100": "forced", "marian": "source", "plbart": "start"}.get(family, "")


def _speech(given: Values, tokenizer: Tokenizer, config: TransformerConfig) -> SpeechTokens:
    ids = {name: token for token, name in enumerate(tokenizer.pieces(range(config.vocabulary)))}
    tasks = given.get("task_to_id")
    tasks = tasks if isinstance(tasks, dict) else {}

    def found(values: Values, name: str, piece: str) -> int | None:
        token = _named(values, name, config)
        return ids.get(piece) if token is None else token

    quiet = found(given, "no_timestamps_token_id", "<|notimestamps|>")
    many = _is_multilingual(given, config.vocabulary, bool(tokenizer.languages), quiet)
    first_time = ids.get("<|0.00|>")
    if first_time is None and quiet is not None and quiet + 1 < config.vocabulary:
        first_time = quiet + 1
    return SpeechTokens(
        found(tasks, "transcribe", "<|transcribe|>") if many else None,
        found(tasks, "translate", "<|translate|>") if many else None,
        quiet,
        first_time,
        _whole(given, "max_initial_timestamp_index", 50, config.max_source),
        found(given, "prev_sot_token_id", "<|startofprev|>"),
        _first_of(ids, "<|nospeech|>", "<|nocaptions|>"),
    )


def _first_of(ids: dict[str, int], *pieces: str) -> int | None:
    return next((ids[piece] for piece in pieces if piece in ids), None)


def _is_multilingual(given: Values, vocabulary: int, named: bool, quiet: int | None) -> bool:
    """Tell whether a speech model hears languages; named: its vocabulary names some.

    The vocabulary of those that know English only names them too: its size decides, as in
    openai/whisper, whatever the files say.
    """
    if vocabulary >= PUBLISHED:
        return named and vocabulary >= MULTILINGUAL
    english = quiet is not None and _prompt(given)[:1] == [quiet]
    return given.get("is_multilingual", named and not english) is True


def _prompt(given: Values) -> list[Any]:
    """Return the tokens that older files force after the start: language, task, no times."""
    pairs = given.get("forced_decoder_ids")
    pairs = pairs if isinstance(pairs, list) else []
    return [pair[1] for pair in pairs if isinstance(pair, list) and len(pair) == 2]


def _heard(given: Values, tokenizer: Tokenizer, leads: str) -> tuple[str, str]:
    """Return the languages that a speech model's files choose, "" for the one that is heard."""
    if leads != "heard":
        return "", ""
    said, task = given.get("language"), given.get("task")
    code = said.lower().strip("<|>") if isinstance(said, str) else ""
    code = SPOKEN.get(code, code)
    if not code and task is None:
        codes = {token: code for code, token in tokenizer.languages.items()}
        prompt = [token for token in _prompt(given) if type(token) is int]
        code = next((codes[token] for token in prompt if token in codes), "")
        pieces = tokenizer.pieces(prompt)
        task = "translate" if "<|translate|>" in pieces else None
    return code if code in tokenizer.languages else "", ENGLISH if task == "translate" else ""


def _whole(given: Values, name: str, default: int, most: int) -> int:
    if given.get(name) is None:
        return default
    value = _number(given, name, default)
    if value != int(value) or value < 0:
        raise _impossible(name, value)
    return min(most, int(value))


def _number(given: Values, name: str, default: float) -> float:
    value = given.get(name)
    value = default if value is None else value
    if type(value) is not int and not (type(value) is float and math.isfinite(value)):
        raise _impossible(name, value)
    return value


def _impossible(name: str, value: Any) -> UserError:
    return UserError(
        f"The model's settings say that {name} is {shown(value)}: fetch the model again, or "
        "correct its generation_config.json."
    )


def _named(given: Values, name: str, config: TransformerConfig) -> int | None:
    """Return the token of a role. Raises UserError if it is none of the model's."""
    value = given.get(name)
    token = _token(value, config.vocabulary)
    if token is None and value not in (None, []):
        raise _impossible(name, value)
    return token


def _token(value: Any, vocabulary: int) -> int | None:
    if isinstance(value, list) and value:
        value = value[0]
    return value if type(value) is int and 0 <= value < vocabulary else None


def _tokens(given: Values, name: str, config: TransformerConfig) -> tuple[int, ...]:
    """Return those tokens of a list that the model has: others cannot be said anyway."""
    values = given.get(name)
    found = [_token(v, config.vocabulary) for v in values] if isinstance(values, list) else []
    return tuple(token for token in found if token is not None)


def _bad_words(given: Values, config: TransformerConfig) -> tuple[int, ...]:
    """Return the tokens that are bad words by themselves; the end of an output is none."""
    ends = {config.eos, *_ends(given, config)}
    return tuple(
        word[0] for word in _words(given, config) if len(word) == 1 and word[0] not in ends
    )


def _bad_sequences(given: Values, config: TransformerConfig) -> tuple[tuple[int, ...], ...]:
    """Return the bad words of several tokens."""
    return tuple(word for word in _words(given, config) if len(word) > 1)


def _words(given: Values, config: TransformerConfig) -> list[tuple[int, ...]]:
    """Return the bad words that can be written; each is a list of tokens of the model."""
    listed = given.get("bad_words_ids")
    words = [word for word in listed if isinstance(word, list)] if isinstance(listed, list) else []
    known = [tuple(_token(token, config.vocabulary) for token in word) for word in words]
    found = [tuple(t for t in word if t is not None) for word in known if None not in word and word]
    return found[:MOST_WORDS]
