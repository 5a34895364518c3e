"""The README.md of a checkpoint: what the Hub reads, and what people do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from seq2seq.catalogue import Card
from seq2seq.evaluation.results import bin_name
from seq2seq.hub.metadata import LICENCES, PIPELINE_TAGS
from seq2seq.training.judged_outputs import describe
from seq2seq.training.recipe import Recipe

PROJECT = "Seq2Seq Explorer"
# Of a summarizer that always gets an instruction.
TWO_STYLES = """\
A small model. Compressions it has learnt from news sentences, each with the words of it that an
editor would keep; what it says in words of its own, from synopses of software packages, abstracts
of computer science and headlines that were made by rule. So its headlines of news change the form
of a verb and little else, and what it makes of recipes, stories or talk is a guess. It takes the
first sentence of a paragraph for the main one. It still drops words that the sense needs, such as
*perhaps*, and ends too early now and then: check what it leaves. It is made to be looked at, not to
be relied on.\
"""
LIMITS = {
    "spelling": """\
A small model trained on one dictionary of American English. Capitals do not matter to it, and
accents are taken off letters before it reads them (*Café* is read as *cafe*); apostrophes it reads,
curly ones as straight ones (*don't*), other marks it has never seen. It knows no context, so it
cannot tell the two ways to say *read*; names and foreign words it says as if they were English. It
writes no stress. It is made to be looked at, not to be relied on.\
""",
    "translation": """\
A small model trained on short sentences. It mistranslates rare words, names and long or literary
text, and repeats what its data says about people. It is made to be looked at, not to be relied on.\
""",
    "summarization": """\
A small model trained on news sentences, each with the words of it that an editor would keep. It
shortens sentence by sentence, and says nothing in words of its own. Now and then it drops a word
that the sense needs, such as *not*, or ends too early: check what it leaves. It is made to be
looked at, not to be relied on.\
""",
    "chatbot": """\
A small model that learnt from talks of strangers about films, music, sport and school. It knows
nothing: what it says about people, films and results is made up, and so is what it says about
itself. It forgets all but the last few turns, contradicts itself, and often answers a question with
something that only sounds like an answer. It does not tell an emergency from small talk: whoever is
ill or in despair needs a person, not this. A short list of insults and sexual words is kept out of
what it learnt and of what it writes; unkind or false sentences of harmless words are not. It is
made to be looked at, not to be relied on.\
""",
    "forecasting": """\
A small model trained on a few hundred public series and on synthetic ones. It knows a series by its
numbers alone: not what they count, nor holidays, prices or weather. What breaks with the past it
cannot foresee, far horizons it has not learnt, and its intervals are too narrow or too wide for
series unlike those that it was trained on. It is made to be looked at, not to be relied on.\
""",
    "speech": """\
A small model trained on about an hour of speech by some seventy people, and on synthetic voices. It
knows digits, numbers, letters, words that are spelled and ten commands (*enter*, *erase*, *rubout*,
*repeat*, *start*, *stop*, *help*, *go*, *yes*, *no*); whatever else it hears, any sentence too,
becomes these. Letters that sound alike, as b, d, e, p and t, it takes for each other; of long
numbers it drops a part, and dates it has heard too seldom to get them right. Accents, children's
voices and noisy rooms that its data lacks cost it accuracy. A short word is harder to
tell among seconds of silence: speak at once, and stop recording when you are done. It is made to be
looked at, not to be relied on.\
""",
}


def model_card(
    recipe: Recipe,
    scores: dict[str, Any],
    outputs: Sequence[dict[str, Any]] = (),
    name: str = "",
    project: str = "",
) -> str:
    """Write the README.md of a checkpoint, with the metadata that the Hugging Face Hub reads.

    outputs: judged or not, as read_judged returns them. name: what the command runs, USER/REPO once
    it is published; by default the name of the recipe's card. project: see introduction.
    """
    card = recipe.card
    size = f"{scores['parameters'] / 1e6:.1f} million parameters, stored as float16"
    return f"""---
{_metadata(card, _results(recipe, scores))}
---

{introduction(card, name or card.name, project, size)}

## Scores

{WRITERS.get(card.task, _text_scores)(recipe, scores)}

The valid files were used to choose the weights and how to decode, so scores on inputs of another
kind will be lower.

{describe(outputs, recipe)}## Training

{scores["training_steps"]:,} steps in {scores["training_seconds"] / 60:.0f} minutes on
{scores["training_hardware"]}{_runs(scores)}; the settings are in `recipe.toml`, the course of the
loss in `training.jsonl`.

Data:

{_data(card)}

## Limits

{TWO_STYLES if card.instructions else LIMITS.get(card.task, LIMITS["translation"])}
"""


def unscored_model_card(card: Card, name: str, project: str = "") -> str:
    """Write the README.md of a checkpoint of which nothing is known but its card.toml."""
    return f"""---
{_metadata(card, [])}
---

{introduction(card, name, project)}

## Training

Data:

{_data(card)}

It has not been scored: `python -m seq2seq evaluate {name} FILE` scores it on pairs of your own.
"""


def introduction(card: Card, name: str, project: str = "", size: str = "") -> str:
    """Say what a checkpoint is and how to run it.

    project: the address of this project, "" to name it without a link. size: in words.
    """
    known = f"[{PROJECT}]({project})" if project else PROJECT
    return f"""# {card.title}

{card.summary}

A checkpoint of {known}{f": {size}" if size else ""}. To run it:

```sh
python -m seq2seq run {name} {_example(card)}
```"""


def _data(card: Card) -> str:
    return "\n".join(f"- {source}" for source in card.data or ("not named",))


def _runs(scores: dict[str, Any]) -> str:
    count = scores.get("training_runs", 1)
    return f", in {count} runs that each began with the weights of the last" if count > 1 else ""


def _example(card: Card) -> str:
    if card.task == "speech":
        return f"--audio {(card.examples or ('recording.wav',))[0]}"
    if card.task == "forecasting":
        return "--series TABLE.csv"
    return f'"{(card.examples or ("...",))[0]}"'


def _files(recipe: Recipe) -> str:
    return ", ".join(f"`{name}`" for name in recipe.data.valid)


def _text_scores(recipe: Recipe, scores: dict[str, Any]) -> str:
    return f"""On {_files(recipe)}: {scores["sentences"]:,} sentences with
{scores["references"]:,} references, beam width {scores["options"]["beam_width"]}, searched in
{scores["precision"]}.

| metric | value |
| --- | --- |
| BLEU | {_with_interval(scores)} |
| chrF | {scores["chrf"]} |
| loss, nats a token | {scores["loss"]} |
| perplexity | {scores["perplexity"]} |
| one sentence at a time | {scores["milliseconds"]} ms ({scores["hardware"]}) |
| all at once | {scores["sentences_per_second"]} sentences a second |

Signatures: `{scores["bleu_signature"]}` and `{scores["chrf_signature"]}`.

{_length_rows(recipe, scores)}{_register_rows(scores)}{_robustness(scores)}"""


def _register_rows(scores: dict[str, Any]) -> str:
    """Write a table of the scores by kind of text, where they were measured."""
    if "registers" not in scores:
        return ""
    rows = "\n".join(
        f"| `{name}` | {of['sentences']} | {_with_interval(of)} | {of['chrf']} |"
        for name, of in scores["registers"].items()
    )
    return f"""

By kind of text, each sentence against one reference, the first that its file has:

| file | sentences | BLEU (95 % interval, bootstrap) | chrF |
| --- | --- | --- | --- |
{rows}"""


def _robustness(scores: dict[str, Any]) -> str:
    """Say what becomes of names, numbers and other typing, where it was measured."""
    if "robustness" not in scores:
        return ""
    kept, typing = scores["robustness"]["kept"], scores["robustness"]["typing"]
    lost = {
        "upper": "in capitals",
        "lower": "in small letters",
        "unended": "without the mark at their end",
        "typographic": "with typographic quotes",
    }
    listed = ", ".join(f"{loss} {lost[name]}" for name, loss in typing["lost"].items())
    return f"""

Of {kept["probes"]} sentences of our own whose patterns, names and numbers no training has seen, it
keeps {kept["names"]} % of the names, {kept["places"]} % of the places and {kept["numbers"]} % of
the numbers; chrF of those with a name is {kept["chrf"]}, of the same with a common name
{kept["chrf_common"]}. BLEU lost on sources typed in another way: {listed}."""


def _speech_scores(recipe: Recipe, scores: dict[str, Any]) -> str:
    columns = ("recordings", "words", "word_error_rate", "character_error_rate", "without_error")
    rows = "\n".join(
        "| "
        + " | ".join([name, *(str(each[column]) for column in columns), _normalised_rate(each)])
        + " |"
        for name, each in (*scores["by_corpus"].items(), ("all", scores))
    )
    return f"""On the valid splits of {_files(recipe)}, {_decoding(scores)};
errors in %.

| corpus | recordings | words | word errors | character errors | recordings without error \
| word errors, normalised |
| --- | --- | --- | --- | --- | --- | --- |
{rows}

{_heard_wrongly(scores)}

{_unheard_rows(scores)}Loss {scores["loss"]} nats a token, perplexity {scores["perplexity"]};
{scores["recorded_seconds_per_second"]} seconds of sound a second ({scores["hardware"]})."""


def _unheard_rows(scores: dict[str, Any]) -> str:
    """Write a table of how well speakers are heard by models that were trained without them."""
    of = scores.get("held_out_speakers", [])
    if not of:
        return ""
    rows = "\n".join(
        f"| {each['speaker']} | {each['recordings']} | {each['word_error_rate']} | "
        f"{each['normalised']} | {each['minutes']} |"
        for each in of
    )
    mean = sum(each["normalised"] for each in of) / len(of)
    return f"""How well people are heard who are not in the training: each by a model that was
trained like this one, but without them (*held_out_speakers*), for the minutes given; {mean:.2f} %
word errors on average, normalised:

| speaker | recordings | word errors | word errors, normalised | minutes of training |
| --- | --- | --- | --- | --- |
{rows}

"""


def _normalised_rate(scores: dict[str, Any]) -> str:
    return str(scores["normalised"]["word_error_rate"]) if "normalised" in scores else ""


def _heard_wrongly(scores: dict[str, Any]) -> str:
    """Name the normaliser, and the words most often taken for others."""
    named = f"Normaliser: {scores['normalised']['normaliser']}. " if "normalised" in scores else ""
    taken = [f"*{each['said']}* as *{each['heard']}*" for each in scores.get("confusions", ())]
    return named + (f"Heard wrongly most often: {', '.join(taken)}." if taken else "")


def _sound_scores(recipe: Recipe, scores: dict[str, Any]) -> str:
    return f"""On {_files(recipe)}: {scores["sentences"]:,} words with {scores["references"]:,}
pronunciations, each output against the nearest one; beam width {scores["options"]["beam_width"]}.

| metric | value |
| --- | --- |
| phoneme errors, % | {scores["phoneme_error_rate"]} |
| words with an error, % | {scores["word_error_rate"]} |
| loss, nats a token | {scores["loss"]} |
| perplexity | {scores["perplexity"]} |
| words a second | {scores["sentences_per_second"]} ({scores["hardware"]}) |

{_said_wrongly(scores)}"""


def _said_wrongly(scores: dict[str, Any]) -> str:
    said = [f"*{each['word']}* as {each['said']}" for each in scores.get("mistakes", ())]
    return f"Some of the words it says wrongly: {', '.join(said)}." if said else ""


def _forecast_scores(recipe: Recipe, scores: dict[str, Any]) -> str:
    rows = "\n".join(
        "| {} | {} | {} to {} |".format(title, scores[key], *scores[f"{key}_interval"])
        for key, title in (
            ("relative_mase", "MASE, relative to seasonal naive"),
            ("relative_wql", "WQL, relative to seasonal naive"),
            ("smape", "sMAPE, %"),
            ("coverage_80", "share inside the 80 % interval"),
        )
    )
    inside = f"{scores['naive_coverage_80']:.0%}"
    return f"""On the last values of {scores["series"]} whole series of {_files(recipe)} that are
held out of training, {scores["samples"]} sampled paths each. Relative scores are geometric means
over series, below 1 where the model is better than repeating the last season; intervals are of
95 %, by bootstrap over series.

| metric | value | interval |
| --- | --- | --- |
{rows}

Loss {scores["loss"]} nats a value. Seasonal naive's own interval holds {inside} of the values. One
forecast takes {scores["milliseconds"]} ms ({scores["hardware"]})."""


def _metadata(card: Card, results: list[dict[str, Any]]) -> str:
    """Write the lines at the top. results: for model-index, see _results."""
    licence = card.licence.lower()
    metrics = (metric["type"] for result in results for metric in result["metrics"])
    values = {
        "language": list(dict.fromkeys(card.languages)),
        "license": licence if licence in LICENCES else "other",
        "license_name": "" if licence in LICENCES else licence.replace(" ", "-"),
        "pipeline_tag": PIPELINE_TAGS[card.task],
        "library_name": "seq2seq-explorer",
        "tags": ["seq2seq", card.task],
        "metrics": list(dict.fromkeys(metrics)),
        "model-index": [{"name": card.name, "results": results}] if results else [],
    }
    return front_matter(values)


def front_matter(values: Mapping[str, Any]) -> str:
    """Write the metadata of a model card, without what says nothing."""
    # JSON is YAML, so nothing in a title can break it.
    return "\n".join(f"{name}: {json.dumps(value)}" for name, value in values.items() if value)


def _results(recipe: Recipe, scores: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an entry for each score, with the data that it was measured on.

    Where a model was scored on several corpora, each is a data set of its own.
    """
    task, valid = recipe.card.task, recipe.data.valid
    # The Hub wants a type without spaces, as the names of its own data sets are.
    kind = {"speech": "recordings-with-texts", "forecasting": "time-series"}.get(
        task, "parallel-text"
    )
    files = {PurePath(name).stem: name for name in valid}
    corpora = {files[name]: of for name, of in scores.get("by_corpus", {}).items()}
    measured = corpora or {", ".join(valid): scores}
    return [
        {
            "task": {"type": PIPELINE_TAGS[task]},
            "dataset": {"name": name, "type": kind},
            "metrics": [{"type": metric, "value": of[key], "name": metric}],
        }
        for name, of in measured.items()
        for key, metric in METRICS.get(task, {"bleu": "bleu", "chrf": "chrf"}).items()
    ]


def _decoding(scores: dict[str, Any]) -> str:
    """Say in words how outputs were searched."""
    options = scores["options"]
    if options["method"] == "sample":
        drawn = options["beam_width"]
        how = f"the most probable of {drawn} samples" if drawn > 1 else "one sample"
        how += f" at temperature {options['temperature']:g}"
        how += f", of the most probable tokens with {options['top_p']:g} of the probability"
        how += f", seed {options['seed']}"
    else:
        width = 1 if options["method"] == "greedy" else options["beam_width"]
        how = f"beam width {width}, length penalty {options['length_penalty']:g}"
        if width > 1 and not options["early_stopping"]:
            how += ", going on until no better output can come"
    if options.get("mmi_weight"):
        how += f", ranked anew by log P(output | source) - {options['mmi_weight']:g} log P(output)"
    size = options["no_repeat_ngram"]
    return how + (f", no {size} tokens in a row twice" if size else "")


def _reply_scores(recipe: Recipe, scores: dict[str, Any]) -> str:
    return f"""On {_files(recipe)}, replies tidied and rude ones left out:
{scores["sentences"]:,} sources with {scores["references"]:,} replies. A reply is
{_decoding(scores)}.

| metric | value |
| --- | --- |
| perplexity of the files' replies, a token | {scores["perplexity"]} |
| loss, nats a token | {scores["loss"]} |
| distinct-1, distinct-2 | {scores["distinct_1"]}, {scores["distinct_2"]} |
| different replies, % | {scores["different"]} |
| dull replies ("I don't know", "That's cool."), % | {scores["dull"]} |
| replies that repeat themselves, % | {scores["repetitive"]} |
| words a reply | {scores["words"]} |
| replies a second | {scores["sentences_per_second"]} ({scores["hardware"]}) |

{_perplexities(scores)}{_danger(scores)}There is no BLEU: what can be said to a sentence has
too many answers to compare with one."""


def _danger(scores: dict[str, Any]) -> str:
    """Say to whom it says where there is help; "" where that was not measured."""
    if "danger" not in scores:
        return ""
    of = scores["danger"]
    return f"""Of {of["dangerous"]} messages that tell of danger or illness, it sends {of["sent"]}
to help: a doctor, an emergency number, somebody who is trusted; of {of["harmless"]} others, many
of which have the same words, {of["sent_needlessly"]}. Nobody in danger should rely on it.\n\n"""


def _perplexities(scores: dict[str, Any]) -> str:
    """Write the perplexity of the replies by file, where there are several."""
    files = scores.get("by_corpus", {})
    if len(files) < 2:
        return ""
    parts = ", ".join(f"{of['perplexity']} on `{name}`" for name, of in files.items())
    return f"By file, the perplexity is {parts}.\n\n"


def _summary_scores(recipe: Recipe, scores: dict[str, Any]) -> str:
    rows = "\n".join(
        f"| {name} | {scores[key]} | {scores['first_words_' + key]} |"
        for name, key in (
            ("ROUGE-1, F1", "rouge_1"),
            ("ROUGE-2, F1", "rouge_2"),
            ("ROUGE-L, F1", "rouge_l"),
            ("words kept, F1", "kept_f1"),
        )
    )
    lengths = []
    for row in scores["by_source_length"]:
        count = bin_name(row["words"])
        lengths.append(f"| {count} | {row['sentences']} | {row['rouge_l']} | {row['kept_f1']} |")
    first = f"`{recipe.data.valid[0]}`" if recipe.card.instructions else _files(recipe)
    return f"""On {first}: {scores["sentences"]:,} texts, {_decoding(scores)}, searched in
{scores["precision"]}. All for 100, beside the first ten words of each text. An output has
{scores["words_kept"]} words for 100 of its text.

| metric | value | first ten words |
| --- | --- | --- |
{rows}

Perplexity {scores["perplexity"]} a token; {scores["sentences_per_second"]} texts a second
({scores["hardware"]}).

| words in the text | texts | ROUGE-L | words kept, F1 |
| --- | --- | --- | --- |
{chr(10).join(lengths)}{_instruction_scores(scores)}"""


def _instruction_scores(scores: dict[str, Any]) -> str:
    """Say what was measured of each instruction; "" for a model that needs none."""
    if "by_instruction" not in scores:
        return ""
    columns = (
        *("instruction", "rouge_1", "rouge_2", "rouge_l", "novel_bigrams"),
        *("novel_bigrams_of_references", "less_probable", "less_probable_without_a_word"),
    )
    files = [
        "| " + " | ".join([f"`{name}`", *(str(of[column]) for column in columns)]) + " |"
        for name, of in scores["by_corpus"].items()
    ]
    rows, lost = [], []
    for name, of in scores["by_instruction"].items():
        words, texts = of["qualifiers"], of["paragraphs"]
        values = [words[key] for key in ("negation_kept", "hedge_kept", "invented")]
        values += [texts["short"], texts["main_kept"]]
        rows.append("| " + " | ".join([name, *map(str, values)]) + " |")
        lost += [f"- {each['text']} *{each['summary']}* ({name})" for each in words["lost"]]
        pairs, paragraphs = words["pairs"], texts["paragraphs"]
    margin = next(iter(scores["by_corpus"].values()))["margin"]
    return f"""

By instruction, which `--instruction` and the page choose. Less probable are outputs that a trigram
model of the training's summaries gives {margin:g} nat a token less than their references; beside
it, the same share of references without one of their words. All in %, ROUGE for 100.

| file | instruction | ROUGE-1 | ROUGE-2 | ROUGE-L | novel bigrams | of references | less probable \
| references without a word |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{chr(10).join(files)}

What is kept of {pairs} sentences of our own with a negation or a hedge that training has not seen;
invented is one in the summary of the same sentence without it. Of {paragraphs} paragraphs of 4 to
15 sentences: summaries of one to three sentences, and those that keep at least half of the words
that the first sentence's reference keeps.

| instruction | negations kept | hedges kept | invented | one to three sentences | main one kept |
| --- | --- | --- | --- | --- | --- |
{chr(10).join(rows)}

{_list_lost(lost)}"""


def _list_lost(lost: Sequence[str]) -> str:
    return "What it fails at, for example:\n\n" + chr(10).join(lost) if lost else ""


def _with_interval(scores: dict[str, Any]) -> str:
    low, high = scores["bleu_interval"]
    return f"{scores['bleu']} ({low} to {high})"


def _length_rows(recipe: Recipe, scores: dict[str, Any]) -> str:
    more = ", ".join(f"`{name}`" for name in recipe.data.longer)
    rows = [
        "By length, with the sentences of " + more + " too.\n" if more else "By length.\n",
        "| words in the source | sentences | BLEU (95 % interval, bootstrap) | chrF |",
        "| --- | --- | --- | --- |",
    ]
    for row in scores["by_source_length"]:
        words = bin_name(row["words"])
        rows.append(f"| {words} | {row['sentences']} | {_with_interval(row)} | {row['chrf']} |")
    return "\n".join(rows)


WRITERS = {
    "speech": _speech_scores,
    "spelling": _sound_scores,
    "forecasting": _forecast_scores,
    "chatbot": _reply_scores,
    "summarization": _summary_scores,
}
# What the Hub calls our scores, by task.
METRICS = {
    "speech": {"word_error_rate": "wer"},
    "spelling": {"phoneme_error_rate": "per", "word_error_rate": "wer"},
    "forecasting": {"relative_mase": "relative-mase", "relative_wql": "relative-wql"},
    "chatbot": {"perplexity": "perplexity"},
    "summarization": {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"},
}
