"""Writes docs/parity.md: every family beside transformers, on random weights, counted.

python -m tests.parity_table [NAME ...]
"""

import dataclasses
import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file

import seq2seq
from seq2seq import Options
from seq2seq.inference.long_form import transcribe_long
from tests import published
from tests import vocabularies as made
from tests.families.test_generation_configs import answers, ours_of, random_model
from tests.families.test_serialized_tokenizer import CASES as SERIALIZED
from tests.families.test_serialized_tokenizer import written

TABLE = Path(__file__).parent.parent / "docs" / "parity.md"
SENTENCES = [text for text in made.TEXTS if "<" not in text][:10]
TEXTS = [text for text in made.texts(300) if "<" not in text and ">" not in text and text.strip()]
WIDTH, LONGEST = 4, 12
INTRODUCTION = """\
# Parity

Every family that is read here, beside transformers {version}, on tiny models with random weights:
how many of {sources} greedy outputs are the same tokens, how many whole lists of {width} beam
outputs are, how many of {texts} texts get the same ids, and in which storage the weights read back
the same.
`python -m tests.parity_table` writes this file.

| model | family | class | greedy | beam | tokenizer | storage |
| --- | --- | --- | --- | --- | --- | --- |
"""


def row(name, root):
    """Return the cells of one model."""
    folder, model, tokenizer = random_model(root, name, certain=0.5)
    checkpoint = seq2seq.load(folder)
    greedy = beam = 0
    for text in SENTENCES:
        greedy += agrees(checkpoint, model, text, 1)
        beam += agrees(checkpoint, model, text, WIDTH)
    return [
        name,
        checkpoint.family,
        type(model).__name__,
        f"{greedy} of {len(SENTENCES)}",
        f"{beam} of {len(SENTENCES)}",
        same_ids(checkpoint, tokenizer),
        stored(folder, root),
    ]


def agrees(checkpoint, model, text, width):
    """Tell whether all outputs of a search are the same."""
    config, known = checkpoint.generation_config, checkpoint.tokenizer.languages
    options = dataclasses.replace(
        Options(method="beam" if width > 1 else "greedy", beam_width=width),
        early_stopping=False,
        max_length=LONGEST,
        source_language=config.options.source_language,
        target_language=config.options.target_language,
        no_repeat_ngram=config.options.no_repeat_ngram,
    )
    led = {}
    if config.language_leads in ("forced", "start"):
        key = {"forced": "forced_bos_token_id", "start": "decoder_start_token_id"}
        led = {key[config.language_leads]: known[options.target_language]}
    trace = seq2seq.run(checkpoint, text, options)
    more = {"early_stopping": False, "length_penalty": 1.0} if width > 1 else {}
    ids = list(trace.source.ids)
    expected = answers(model, ids, width, num_beams=width, max_length=LONGEST + 1, **led, **more)
    return ours_of(trace, checkpoint) == expected


def same_ids(checkpoint, tokenizer):
    wrong = 0
    for text in TEXTS:
        expected = tokenizer(text, add_special_tokens=False).input_ids
        wrong += checkpoint.tokenizer.encode(text) != expected
    return f"{len(TEXTS) - wrong} of {len(TEXTS)}"


def stored(folder, root):
    """Name the ways of storing weights in which they read back the same."""
    weights, found = load_file(folder / "model.safetensors"), ["safetensors"]
    expected = seq2seq.load(folder).model.state_dict()
    for kind, save in (("shards", sharded), ("bin", pickled)):
        copy = root / kind
        shutil.copytree(folder, copy)
        (copy / "model.safetensors").unlink()
        save(copy, weights)
        read = seq2seq.load(copy).model.state_dict()
        if all(torch.equal(read[name], weight) for name, weight in expected.items()):
            found.append(kind)
    return ", ".join(found)


def pickled(folder, weights):
    torch.save(weights, folder / "pytorch_model.bin")


def sharded(folder, weights):
    """Write every second tensor to another file."""
    from safetensors.torch import save_file

    places = {name: f"model-{number % 2}.safetensors" for number, name in enumerate(weights)}
    for place in set(places.values()):
        part = {name: weight for name, weight in weights.items() if places[name] == place}
        save_file(part, folder / place, metadata={"format": "pt"})
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))


def whisper_row(name, root, kind):
    """Return the cells of a Whisper: a recording of many windows."""
    from tests.inference.test_long_form import GREEDY, PLAIN, ours, sound, theirs, whisper

    checkpoint, model, tokenizer = whisper(root, kind)
    frames = sound(2_000, seed=5)
    long = ours(transcribe_long(checkpoint, frames, GREEDY, PLAIN))
    expected = theirs(model, frames, condition_on_prev_tokens=True)
    same = sum(a == b for a, b in zip(long, expected, strict=False))
    return [
        name,
        "whisper",
        type(model).__name__,
        f"long form: {same} of {len(expected)} segments",
        "-",
        same_ids(checkpoint, tokenizer),
        stored(root / "model", root),
    ]


def serialized_row(name, root):
    """Return the cells of a tokenizer.json of another kind than its family's."""
    from seq2seq.families.tokenizers import read_tokenizer

    family, make, kind = SERIALIZED[name]
    library = written(root / "files", make, kind)
    ours = read_tokenizer(root / "files", family, {"vocab_size": library.get_vocab_size()})
    same = sum(
        ours.encode(text) == library.encode(text, add_special_tokens=False).ids for text in TEXTS
    )
    return [f"{name} (its tokenizer.json)", family, "-", "-", "-", f"{same} of {len(TEXTS)}", "-"]


def rows(names=()):
    """Yield the rows of the table, all or those of some names."""
    makers = {name: row for name in published.MODELS if name != "whisper"}
    makers |= {f"whisper, {kind}": kind for kind in ("multilingual", "english")}
    makers |= dict.fromkeys(SERIALIZED, serialized_row)
    for name, make in makers.items():
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory() as root:
            if isinstance(make, str):
                yield whisper_row(name, Path(root), make)
            else:
                yield make(name, Path(root))
        print(name, file=sys.stderr, flush=True)


def main(names):
    """Write the table, or print some rows of it."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    lines = ["| " + " | ".join(cells) + " |" for cells in rows(names)]
    if names:
        print("\n".join(lines))
        return
    introduction = INTRODUCTION.format(
        version=transformers.__version__, sources=len(SENTENCES), width=WIDTH, texts=len(TEXTS)
    )
    TABLE.write_text(introduction + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
