"""How fast a Whisper of random weights writes down one window of sound, beside other libraries.

All read the same frames and the same first tokens, and write exactly so many tokens: the end is
forbidden. What makes frames of a recording is left out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from seq2seq.data.audio import HOP, RATE
from seq2seq.decoding.logits_processors import forbid
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import Steering, search
from seq2seq.evaluation.benchmark import (
    OURS,
    REFEREE,
    Contestant,
    Outputs,
    Plan,
    Workload,
    about,
    race,
)
from seq2seq.families.configs import read_config
from seq2seq.families.loading import read_model
from seq2seq.models.quantization import available, quantize
from seq2seq.models.seq2seq import Seq2Seq, build

# The tokens of the published multilingual models, by name; those of a tiny one begin at 0.
NAMES = {
    "<|endoftext|>": 50_257,
    "<|startoftranscript|>": 50_258,
    "<|en|>": 50_259,
    "<|transcribe|>": 50_359,
    "<|nospeech|>": 50_362,
    "<|notimestamps|>": 50_363,
}
PROMPT = ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")
BANDS, WINDOW = 80, 1_500  # of the spectrogram; positions of 0.02 s


def whisper(vocabulary: int, width: int, layers: int, heads: int, window: int) -> dict[str, Any]:
    """Return the config.json of a model built like the Whispers on the Hugging Face Hub."""
    sizes = {"vocab_size": vocabulary, "d_model": width, "num_mel_bins": BANDS}
    for side in ("encoder", "decoder"):
        sizes |= {f"{side}_layers": layers, f"{side}_attention_heads": heads}
        sizes |= {f"{side}_ffn_dim": 4 * width}
    sizes |= {"max_source_positions": window, "max_target_positions": 448}
    tokens = _named(vocabulary)
    end, start = (tokens[name] for name in ("<|endoftext|>", "<|startoftranscript|>"))
    ids = {"pad_token_id": end, "bos_token_id": end, "eos_token_id": end}
    return sizes | ids | {"decoder_start_token_id": start, "model_type": "whisper"}


def _named(vocabulary: int) -> dict[str, int]:
    first = 0 if vocabulary > max(NAMES.values()) else min(NAMES.values())
    return {name: token - first for name, token in NAMES.items()}


def speech_plan(threads: Sequence[int] = (1, 2), rounds: int = 5, quick: bool = False) -> Plan:
    """Return the plan for a model of Whisper tiny's size (38 million weights), or a tiny one."""
    cells = tuple(Workload(n, 1, beam) for n in threads for beam in (1, 4))
    if quick:
        return Plan(whisper(1_001, 64, 2, 4, 50), 50, 5, rounds, cells)
    return Plan(whisper(51_865, 384, 4, 6, WINDOW), WINDOW, 50, rounds, cells)


@torch.inference_mode()
def measure_speech(
    chosen: Plan, on_cell: Callable[[Workload], None] | None = None
) -> dict[str, Any]:
    """Run a plan, as seq2seq.evaluation.benchmark.measure does with texts."""
    torch.manual_seed(0)
    before = torch.get_num_threads()
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        model, referee = _weights(chosen.config, Path(folder))
        frames = torch.randn(1, 2 * chosen.source_tokens, BANDS)
        for cell in chosen.cells:
            torch.set_num_threads(cell.threads)
            names = contestants(chosen, model, referee, Path(folder), cell.threads)
            results += race(names, frames, cell, chosen.rounds)
            if on_cell is not None:
                on_cell(cell)
        torch.set_num_threads(before)
        difference = None if referee is None else _difference(model, referee, frames)
    seconds = 2 * chosen.source_tokens * HOP / RATE
    found = {**about(chosen), "largest_logit_difference": difference, "results": results}
    return found | {"source": f"{seconds:g} seconds of sound"}


def _weights(values: dict[str, Any], folder: Path) -> tuple[Seq2Seq, Any]:
    """Make random weights; where transformers is there, its own, saved to the folder and read."""
    if find_spec("transformers") is None:
        return build(read_config(values)).requires_grad_(False).eval(), None
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    given = {name: value for name, value in values.items() if name != "model_type"}
    referee = transformers.WhisperForConditionalGeneration(transformers.WhisperConfig(**given))
    referee.eval().save_pretrained(folder)
    return read_model(folder, values), referee


def contestants(
    chosen: Plan, model: Seq2Seq, referee: Any, folder: Path, threads: int
) -> dict[str, Contestant]:
    """Return what races, by name: each takes frames (rows, frames, bands) and a beam's width."""
    tokens = _named(chosen.config["vocab_size"])
    prompt, end = [tokens[name] for name in PROMPT], tokens["<|endoftext|>"]
    found: dict[str, Contestant] = {OURS: partial(_ours, model, prompt, chosen.steps)}
    if available():
        found["ours int8"] = partial(_ours, quantize(model), prompt, chosen.steps)
    if referee is None:
        return found
    found[REFEREE] = partial(_transformers, referee, prompt, end, chosen.steps)
    if find_spec("ctranslate2") is not None:
        if not (folder / "model.bin").exists():
            _convert(referee, tokens, folder)
        for kind in ("float32", "int8"):
            listener = _listener(folder, kind, threads)
            found[f"CTranslate2 {kind}"] = partial(
                _ctranslate2, listener, prompt, end, chosen.steps
            )
    return found


def _ours(model: Seq2Seq, prompt: list[int], steps: int, frames: Tensor, width: int) -> Outputs:
    options = Options(
        method="beam" if width > 1 else "greedy",
        beam_width=width,
        n_best=1,
        length_penalty=1.0,
        max_length=steps,
    )
    end = model.config.eos
    steering = Steering([forbid([end])])
    found = search(model.decoder, model.encode(frames), options, prompt, end, steering)
    return [each.hypotheses[0].tokens for each in found]


def _transformers(
    model: Any, prompt: list[int], end: int, steps: int, frames: Tensor, width: int
) -> Outputs:
    from transformers import GenerationConfig, GenerationMixin

    settings = GenerationConfig(
        num_beams=width,
        do_sample=False,
        min_new_tokens=steps,
        max_new_tokens=steps,
        suppress_tokens=[end],
        pad_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=prompt[0],
        **({"early_stopping": True, "length_penalty": 1.0} if width > 1 else {}),
    )
    read = torch.tensor([prompt] * len(frames))
    written = GenerationMixin.generate(
        model, input_features=frames.mT, decoder_input_ids=read, generation_config=settings
    )
    return [tuple(row[len(prompt) :]) for row in written.tolist()]


def _convert(model: Any, tokens: dict[str, int], folder: Path) -> None:
    """Write what CTranslate2 reads. Tokens without a role are named by their numbers."""
    from ctranslate2.converters import transformers as converters

    roles = {token: name for name, token in tokens.items()}
    count = model.config.vocab_size
    names = {roles.get(token, str(token)): token for token in range(count)}
    tokenizer = SimpleNamespace(
        get_vocab=lambda: names,
        bos_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        additional_special_tokens=[],
    )
    specification = converters.WhisperLoader()(model, tokenizer)
    specification.validate()
    specification.optimize()
    specification.save(str(folder))


def _listener(folder: Path, kind: str, threads: int) -> Any:
    import ctranslate2

    return ctranslate2.models.Whisper(
        str(folder), device="cpu", compute_type=kind, inter_threads=1, intra_threads=threads
    )


def _ctranslate2(
    listener: Any, prompt: list[int], end: int, steps: int, frames: Tensor, width: int
) -> Outputs:
    import ctranslate2

    found = listener.generate(
        ctranslate2.StorageView.from_array(frames.mT.contiguous().numpy()),
        [prompt] * len(frames),
        beam_size=width,
        max_length=2 * steps,  # it writes half of that at most
        suppress_blank=False,
        suppress_tokens=[end],
    )
    return [tuple(each.sequences_ids[0]) for each in found]


def _difference(model: Seq2Seq, referee: Any, frames: Tensor) -> float:
    target = torch.arange(1, 41).remainder(model.config.vocabulary)[None]
    theirs = referee(input_features=frames.mT, decoder_input_ids=target).logits
    return float((model(frames, target) - theirs).abs().max())
