"""Other people's generation_config.json, as our Conventions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from seq2seq.conventions import Conventions, SpeechTokens
from seq2seq.errors import UserError
from seq2seq.families.configs import Values
from seq2seq.model import Config
from seq2seq.options import MAX_BEAM_WIDTH, MAX_LENGTH, Options
from seq2seq.tokenizer import Tokenizer

# What transformers took from config.json before there was a generation_config.json.
LEGACY = (
    "bad_words_ids",
    "begin_suppress_tokens",
    "decoder_start_token_id",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "forced_bos_token_id",
    "forced_decoder_ids",
    "forced_eos_token_id",
    "length_penalty",
    "max_length",
    "min_length",
    "no_repeat_ngram_size",
    "num_beams",
    "suppress_tokens",
)
WINDOW = 30.0  # seconds of sound that Whisper was trained on
# Where a model knows many languages and its files choose none.
USUAL = {"en": ("en", "en_XX", "eng_Latn"), "fr": ("fr", "fr_XX", "fra_Latn", "fra")}


def read_habits(
    folder: Path, values: Values, config: Config, tokenizer: Tokenizer, task: str = "translation"
) -> Conventions:
    """Read what a model's files say of decoding with it; `values` is the parsed config.json.

    task: what it is used for, of several that it can do.
    Raises UserError if generation_config.json is damaged.
    """
    given = {name: values[name] for name in LEGACY if values.get(name) is not None}
    given |= {
        k: v for k, v in read_json(folder / "generation_config.json").items() if v is not None
    }
    family, tasks = values["model_type"], _tasks(values, task)
    # What an instruction's task says goes before what the whole model says.
    given |= tasks[0][1] if tasks else {}
    start = (_token(given.get("decoder_start_token_id"), config.vocabulary) or config.bos,)
    first = _token(given.get("forced_bos_token_id"), config.vocabulary)
    whisper = family == "whisper"
    source, target = _languages(folder, family, tokenizer, first)
    return Conventions(
        start=start,
        forced=() if first is None else (first,),
        end_at_limit=_token(given.get("forced_eos_token_id"), config.vocabulary),
        forbidden=_tokens(given, "suppress_tokens", config) + _bad_words(given, config),
        forbidden_first=_tokens(given, "begin_suppress_tokens", config),
        renormalise=given.get("renormalize_logits") is True,
        no_copy_ngram=_whole(given, "encoder_no_repeat_ngram_size", 0, 10),
        instructions={name: str(task["prefix"]) for name, task in tasks},
        window=WINDOW * config.max_source / 1500 if whisper else 0.0,
        language_leads=_language_leads(family, tokenizer),
        speech=_speech(given, tokenizer, config) if whisper else None,
        options=_options(given, start, tasks, source, target),
    )


def _options(
    given: Values, start: tuple[int, ...], tasks: list[tuple[str, Values]], source: str, target: str
) -> Options:
    beams = _whole(given, "num_beams", 1, MAX_BEAM_WIDTH)
    # Their lengths count what the decoder reads first.
    longest = _whole(given, "max_length", 0, MAX_LENGTH + 1) - len(start)
    longest = _whole(given, "max_new_tokens", longest, MAX_LENGTH)
    shortest = _whole(given, "min_length", 0, MAX_LENGTH) - len(start)
    penalty = given.get("length_penalty", 1.0)
    stops = given.get("early_stopping", False)
    return Options(
        method="beam" if beams > 1 else "greedy",
        beam_width=max(1, beams),
        length_penalty=min(5.0, max(0.0, penalty)) if isinstance(penalty, int | float) else 1.0,
        early_stopping=stops is True,
        max_length=min(MAX_LENGTH, max(0, longest)),
        min_length=max(0, shortest),
        no_repeat_ngram=_whole(given, "no_repeat_ngram_size", 0, 10),
        instruction=str(tasks[0][1]["prefix"]).strip()[:200] if tasks else "",
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


def _languages(
    folder: Path, family: str, tokenizer: Tokenizer, first: int | None
) -> tuple[str, str]:
    """Choose the languages of source and target: those of the files, else English to French."""
    known = tokenizer.languages
    if not known or family == "whisper":
        return "", ""
    files = read_json(folder / "tokenizer_config.json")
    chosen = []
    for key, usual in (("src_lang", USUAL["en"]), ("tgt_lang", USUAL["fr"])):
        candidates = [files.get(key), *usual]
        if key == "tgt_lang":
            candidates.insert(0, next((code for code, id in known.items() if id == first), None))
        chosen.append(next((code for code in candidates if code in known), next(iter(known))))
    return chosen[0], chosen[1]


def _language_leads(family: str, tokenizer: Tokenizer) -> str:
    if not tokenizer.languages:
        return ""
    return {"whisper": "start", "m2m_100": "forced", "mbart": "forced"}.get(family, "")


def _speech(given: Values, tokenizer: Tokenizer, config: Config) -> SpeechTokens:
    ids = {name: token for token, name in enumerate(tokenizer.pieces(range(len(tokenizer))))}
    tasks = given.get("task_to_id")
    tasks = tasks if isinstance(tasks, dict) else {}
    many = given.get("is_multilingual", bool(tokenizer.languages))
    quiet = _token(given.get("no_timestamps_token_id"), config.vocabulary)
    return SpeechTokens(
        _token(tasks.get("transcribe"), config.vocabulary) or ids.get("<|transcribe|>")
        if many
        else None,
        _token(tasks.get("translate"), config.vocabulary) or ids.get("<|translate|>")
        if many
        else None,
        quiet or ids.get("<|notimestamps|>"),
        ids.get("<|0.00|>"),
    )


def read_json(path: Path) -> Values:
    """Read a JSON object, {} if the file is not there. Raises UserError if it is something else."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        raise UserError(f"The {path.name} is damaged: fetch the model again.") from None
    if not isinstance(values, dict):
        raise UserError(f"The {path.name} is no JSON object: fetch the model again.")
    return values


def _whole(given: Values, name: str, default: int, most: int) -> int:
    value = given.get(name)
    return min(most, max(0, value)) if type(value) is int else default


def _token(value: Any, vocabulary: int) -> int | None:
    if isinstance(value, list) and value:
        value = value[0]
    return value if type(value) is int and 0 <= value < vocabulary else None


def _tokens(given: Values, name: str, config: Config) -> tuple[int, ...]:
    values = given.get(name)
    found = (_token(value, config.vocabulary) for value in values or ())
    return tuple(token for token in found if token is not None) if isinstance(values, list) else ()


def _bad_words(given: Values, config: Config) -> tuple[int, ...]:
    """Return the tokens that are bad words by themselves; none of these families lists others."""
    values = given.get("bad_words_ids")
    alone = (
        [w[0] for w in values if isinstance(w, list) and len(w) == 1]
        if isinstance(values, list)
        else []
    )
    found = (_token(value, config.vocabulary) for value in alone)
    return tuple(token for token in found if token is not None and token != config.eos)
