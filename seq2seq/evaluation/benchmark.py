"""How fast we decode, side by side with transformers and CTranslate2 on the same random weights.

The contestants take turns within every round, so that a busy machine slows all of them alike. The
other two are for development: where they are not installed, their columns are left out.
"""

from __future__ import annotations

import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from seq2seq.catalogue import Card
from seq2seq.checkpoint import Checkpoint
from seq2seq.data.tokenizer import Split
from seq2seq.decoding.generation_config import GenerationConfig
from seq2seq.decoding.logits_processors import forbid, minimum_length
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import Steering, search
from seq2seq.families.base_tokenizer import Frame, Names, Published
from seq2seq.families.configs import read_config
from seq2seq.families.loading import read_model
from seq2seq.inference.pipeline import run
from seq2seq.machine import cores
from seq2seq.models.quantization import available, quantize
from seq2seq.models.seq2seq import Seq2Seq, build

Outputs = list[tuple[int, ...]]
# Takes sources, of texts ids (rows, source), and the width of the beam; writes so many tokens.
Contestant = Callable[[Tensor, int], Outputs]

OURS, REFEREE = "ours float32", "transformers float32"
RIVAL = "CTranslate2 int8"


class Workload(NamedTuple):
    """What is measured together."""

    threads: int
    batch: int
    beam_width: int


class Plan(NamedTuple):
    """What to measure. config: in the words of the published models of this size."""

    config: dict[str, Any]
    source_tokens: int
    steps: int
    rounds: int
    cells: tuple[Workload, ...]


def marian(vocabulary: int, width: int, layers: int, feedforward: int) -> dict[str, Any]:
    """Return the config.json of a model built like the Marian ones on the Hugging Face Hub."""
    sizes = {"vocab_size": vocabulary, "d_model": width, "max_position_embeddings": 512}
    for side in ("encoder", "decoder"):
        sizes |= {f"{side}_layers": layers, f"{side}_attention_heads": 8}
        sizes |= {f"{side}_ffn_dim": feedforward}
    tokens = {"pad_token_id": vocabulary - 1, "eos_token_id": 0, "forced_eos_token_id": None}
    tokens |= {"decoder_start_token_id": vocabulary - 1}
    return sizes | tokens | {"activation_function": "swish", "scale_embedding": True}


def plan(threads: Sequence[int] = (1, 2), rounds: int = 5, quick: bool = False) -> Plan:
    """Return the plan for a model of Marian's size (74 million weights), or for a tiny one."""
    cells = tuple(Workload(n, batch, beam) for n in threads for batch in (1, 16) for beam in (1, 4))
    if quick:
        return Plan(marian(1_001, 64, 2, 128), 8, 5, rounds, cells)
    return Plan(marian(58_101, 512, 6, 2_048), 16, 20, rounds, cells)


@torch.inference_mode()
def measure(chosen: Plan, on_cell: Callable[[Workload], None] | None = None) -> dict[str, Any]:
    """Run a plan. Returns times in milliseconds and what they were measured on and with.

    "same" is the share of outputs that equal those of transformers (ours, where it is missing).
    """
    torch.manual_seed(0)
    before = torch.get_num_threads()
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        model, referee = _weights(chosen.config, Path(folder))
        ids = torch.randint(1, model.config.vocabulary - 1, (16, chosen.source_tokens))
        ids[:, -1] = model.config.eos
        for threads in dict.fromkeys(cell.threads for cell in chosen.cells):
            torch.set_num_threads(threads)
            names = _contestants(chosen, model, referee, Path(folder), threads)
            for cell in (cell for cell in chosen.cells if cell.threads == threads):
                results += race(names, ids[: cell.batch], cell, chosen.rounds)
                if on_cell is not None:
                    on_cell(cell)
        torch.set_num_threads(before)
        difference = None if referee is None else _difference(model, referee, ids)
    return {**about(chosen), "largest_logit_difference": difference, "results": results}


def _weights(values: dict[str, Any], folder: Path) -> tuple[Seq2Seq, Any]:
    """Make random weights; where transformers is there, its own, saved to the folder and read."""
    values = values | {"model_type": "marian"}
    if find_spec("transformers") is None:
        return build(read_config(values)).requires_grad_(False).eval(), None
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    referee = transformers.MarianMTModel(transformers.MarianConfig(**values)).eval()
    referee.save_pretrained(folder)
    return read_model(folder, values), referee


def _contestants(
    chosen: Plan, model: Seq2Seq, referee: Any, folder: Path, threads: int
) -> dict[str, Contestant]:
    steps = chosen.steps
    found: dict[str, Contestant] = {OURS: partial(_ours, model, steps)}
    if available():
        quantized = quantize(model)
        found["ours int8"] = partial(_ours, quantized, steps)
        found["ours int8 and record"] = partial(_recorded, _checkpoint(model, quantized), steps)
    if referee is not None:
        found[REFEREE] = partial(_transformers, referee, steps)
    if referee is not None and find_spec("ctranslate2") is not None:
        if not (folder / "model.bin").exists():
            _convert(referee, folder)
        for kind in ("float32", "int8"):
            found[f"CTranslate2 {kind}"] = _ctranslate2(folder, kind, threads, steps)
    return found


def _options(steps: int, beam_width: int) -> Options:
    return Options(
        beam_width=beam_width, n_best=1, length_penalty=1.0, max_length=steps, min_length=steps
    )


def _ours(model: Seq2Seq, steps: int, ids: Tensor, beam_width: int) -> Outputs:
    config, options = model.config, _options(steps, beam_width)
    steering = Steering([forbid([config.pad]), minimum_length(steps, [config.eos])])
    memory = model.encode(ids)
    found = search(model.decoder, memory, options, [config.bos], config.eos, steering)
    return [each.hypotheses[0].tokens for each in found]


class _Numbers(Published):
    """A tokenizer whose pieces are the numbers of their ids, with a space between two."""

    def __init__(self, vocabulary: int, eos: int, pad: int) -> None:
        ids = {str(token): token for token in range(vocabulary)}
        names = Names(ids, frozenset([eos, pad]), {}, None)
        super().__init__(names, Frame(after=(eos,)))

    def encode(self, text: str) -> list[int]:
        return [int(word) for word in text.split()]

    def split(self, text: str) -> Split:
        words = list(re.finditer(r"\S+", text))
        pieces = tuple(word.group() for word in words)
        return Split([int(piece) for piece in pieces], pieces, tuple(word.span() for word in words))

    def _join(self, ids: list[int]) -> str:
        return " ".join(map(str, ids))

    def _surfaces(self, ids: list[int]) -> Sequence[str]:
        return [f" {token}" if number else str(token) for number, token in enumerate(ids)]


def _checkpoint(model: Seq2Seq, quantized: Seq2Seq) -> Checkpoint:
    config = model.config
    tokenizer = _Numbers(config.vocabulary, config.eos, config.pad)
    settings = GenerationConfig(start=(config.bos,), forbidden=(config.pad,))
    card = Card("benchmark", "Random weights", "translation", "CC0-1.0")
    return Checkpoint(model, tokenizer, card, settings, quantized=quantized)


def _recorded(checkpoint: Checkpoint, steps: int, ids: Tensor, beam_width: int) -> Outputs:
    """Return what complete runs write, each with its trace: its texts end as `ids` do."""
    texts = [" ".join(map(str, row[:-1])) for row in ids.tolist()]
    traces = run(checkpoint, texts, _options(steps, beam_width))
    return [trace.target.ids for trace in traces]


def _transformers(model: Any, steps: int, ids: Tensor, beam_width: int) -> Outputs:
    from transformers import GenerationConfig

    config = model.config
    settings = GenerationConfig(
        num_beams=beam_width,
        do_sample=False,
        min_new_tokens=steps,
        max_new_tokens=steps,
        bad_words_ids=[[config.pad_token_id]],
        pad_token_id=config.pad_token_id,
        eos_token_id=config.eos_token_id,
        decoder_start_token_id=config.decoder_start_token_id,
        **({"early_stopping": True, "length_penalty": 1.0} if beam_width > 1 else {}),
    )
    mask = torch.ones_like(ids)
    written = model.generate(ids, attention_mask=mask, generation_config=settings)
    return [tuple(row[1:]) for row in written.tolist()]


def _convert(model: Any, folder: Path) -> None:
    """Write what CTranslate2 reads. Tokens are named by their numbers."""
    from ctranslate2.converters import transformers as converters

    count = model.config.vocab_size - 1
    names = {str(token): token for token in range(count)} | {"<pad>": count}
    tokenizer = SimpleNamespace(get_vocab=lambda: names, eos_token="0", unk_token="1")
    specification = converters.MarianMTLoader()(model, tokenizer)
    specification.config.add_source_eos = False
    specification.validate()
    specification.optimize()
    specification.save(str(folder))


def _ctranslate2(folder: Path, kind: str, threads: int, steps: int) -> Contestant:
    import ctranslate2

    translator = ctranslate2.Translator(
        str(folder), device="cpu", compute_type=kind, inter_threads=1, intra_threads=threads
    )

    def translate(ids: Tensor, beam_width: int) -> Outputs:
        found = translator.translate_batch(
            [[str(token) for token in row] for row in ids.tolist()],
            beam_size=beam_width,
            length_penalty=1.0,
            min_decoding_length=steps,
            max_decoding_length=steps,
        )
        return [tuple(int(token) for token in each.hypotheses[0]) for each in found]

    return translate


def race(
    contestants: dict[str, Contestant], ids: Tensor, cell: Workload, rounds: int
) -> Iterator[dict[str, Any]]:
    """Let all take turns, once to warm up and then so many rounds."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    outputs: dict[str, Outputs] = {}
    for _ in range(rounds + 1):
        for name, contestant in contestants.items():
            started = time.perf_counter()
            outputs[name] = contestant(ids, cell.beam_width)
            times[name].append((time.perf_counter() - started) * 1_000)
    expected = outputs.get(REFEREE, outputs[OURS])
    for name, every in times.items():
        yield {
            **cell._asdict(),
            "contestant": name,
            "milliseconds": round(statistics.median(every[1:]), 2),
            "fastest": round(min(every[1:]), 2),
            "slowest": round(max(every[1:]), 2),
            "same": statistics.mean(map(tuple.__eq__, outputs[name], expected)),
        }


def _difference(model: Seq2Seq, referee: Any, ids: Tensor) -> float:
    start = torch.full_like(ids[:, :1], model.config.bos)
    target = torch.cat([start, ids[:, :-1]], dim=1)
    theirs = referee(ids, attention_mask=torch.ones_like(ids), decoder_input_ids=target).logits
    return float((model(ids, target) - theirs).abs().max())


def about(chosen: Plan) -> dict[str, Any]:
    """Return what was measured, and on what."""
    names = ("torch", "transformers", "ctranslate2")
    return {
        "versions": {name: version(name) if find_spec(name) else "not installed" for name in names},
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "cores": cores(),
        "load": round(os.getloadavg()[0], 1),
        "model": chosen.config,
        "source_tokens": chosen.source_tokens,
        "steps": chosen.steps,
        "rounds": chosen.rounds,
    }


def table(measured: dict[str, Any]) -> str:
    """Write the times as tables: one for each number of threads, a column for each cell."""
    results = measured["results"]
    names = list(dict.fromkeys(row["contestant"] for row in results))
    rival = RIVAL if RIVAL in names else names[0]
    source = measured.get("source", f"{measured['source_tokens']} tokens")
    lines = [
        f"{measured['steps']} steps from {source}: milliseconds in the "
        f"median of {measured['rounds']} rounds (fastest-slowest), speed over {rival}."
    ]
    for threads in dict.fromkeys(row["threads"] for row in results):
        rows = [row for row in results if row["threads"] == threads]
        cells = list(dict.fromkeys((row["batch"], row["beam_width"]) for row in rows))
        heads = (f"batch {batch}, beam {beam_width}" for batch, beam_width in cells)
        title = f"{threads} thread{'s' if threads > 1 else ''}"
        lines += ["", f"{title:20}" + "".join(f"{head:>28}" for head in heads)]
        medians = [row["milliseconds"] for row in rows if row["contestant"] == rival]
        for name in names:
            mine = [row for row in rows if row["contestant"] == name]
            entries = map(_entry, mine, medians)
            lines.append(f"{name:20}" + "".join(f"{entry:>28}" for entry in entries))
    return "\n".join([*lines, "", *_footnotes(measured)])


def _entry(row: dict[str, Any], rival: float) -> str:
    spread = f"({row['fastest']:.0f}-{row['slowest']:.0f})"
    return f"{row['milliseconds']:.1f} {spread:>11} {rival / row['milliseconds']:5.2f}x"


def _footnotes(measured: dict[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in measured["versions"].items())
    machine = f"{measured['cpu']}, {measured['cores']} cores, load {measured['load']} at the end"
    lines = [f"{versions}; {machine}."]
    if measured["largest_logit_difference"] is not None:
        difference = measured["largest_logit_difference"]
        lines.append(f"Logits differ from those of transformers by {difference:.1e} at most.")
    same: dict[str, list[float]] = {}
    for row in measured["results"]:
        same.setdefault(row["contestant"], []).append(row["same"])
    shares = ", ".join(f"{name} {statistics.mean(each):.0%}" for name, each in same.items())
    return [*lines, f"The same outputs: {shares}."]
