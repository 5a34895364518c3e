import json
import pickle
import resource
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from safetensors.torch import load_file, save_file

from seq2seq.checkpoint import CONFIG, TOKENIZER, WEIGHTS, load, read_model, save
from seq2seq.data.tokenizer import Unigram
from seq2seq.errors import TooLargeError, UserError
from seq2seq.models.config import RecurrentConfig
from seq2seq.models.quantization import available
from seq2seq.models.seq2seq import build

SOURCE, TARGET = torch.tensor([[5, 6, 3]]), torch.tensor([[2, 7, 8, 9]])


@pytest.fixture
def folder(checkpoint_folder, tmp_path):
    """A copy of a checkpoint that may be damaged."""
    return shutil.copytree(checkpoint_folder, tmp_path / "copied")


def change_weights(folder, change):
    weights = load_file(folder / WEIGHTS)
    name = change(weights)
    save_file(weights, folder / WEIGHTS)
    return name


def change_config(folder, **values):
    text = json.loads((folder / CONFIG).read_text()) | values
    (folder / CONFIG).write_text(json.dumps(text))


def test_saved_weights_come_back_bitwise(checkpoint_folder, tmp_path):
    torch.manual_seed(5)
    first = load(checkpoint_folder)
    fresh = build(first.model.config)
    save(tmp_path / "new" / "deep", fresh, first.tokenizer)
    again = read_model(tmp_path / "new" / "deep")
    assert again.config == fresh.config
    ours, theirs = dict(fresh.named_parameters()), dict(again.named_parameters())
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        assert torch.equal(weight.half(), theirs[name].half()), name
        assert torch.equal(weight.half().float(), theirs[name]), name


def test_saving_what_was_loaded_changes_no_file(checkpoint_folder, tmp_path):
    loaded = load(checkpoint_folder)
    save(tmp_path, loaded.model, loaded.tokenizer)
    for name in (CONFIG, WEIGHTS, TOKENIZER):
        assert (tmp_path / name).read_bytes() == (checkpoint_folder / name).read_bytes()


def test_weights_on_disk_are_float16_and_none_is_there_twice(checkpoint_folder):
    weights = load_file(checkpoint_folder / WEIGHTS)
    assert {weight.dtype for weight in weights.values()} == {torch.float16}
    count = sum(weight.numel() for weight in weights.values())
    assert count == load(checkpoint_folder).model.parameter_count()


def test_a_loaded_model_is_ready_to_run(checkpoint_folder):
    checkpoint = load(checkpoint_folder)
    assert checkpoint.card.name == checkpoint_folder.name
    assert not any(module.training for module in checkpoint.model.modules())
    assert not any(weight.requires_grad for weight in checkpoint.model.parameters())
    assert {weight.device for weight in checkpoint.model.parameters()} == {checkpoint.device}
    assert checkpoint.model(SOURCE, TARGET).isfinite().all()
    assert torch.equal(checkpoint.model(SOURCE, TARGET), checkpoint.model(SOURCE, TARGET))


def test_a_model_that_does_not_fit_is_refused(checkpoint_folder, monkeypatch):
    """Float16 on the disk are twice as many bytes in memory."""
    count = load(checkpoint_folder).model.parameter_count()
    free = iter([6 * count, 4.5 * count])
    monkeypatch.setattr("seq2seq.families.loading.free_memory", lambda: next(free))
    load(checkpoint_folder, precision="float32")
    with pytest.raises(TooLargeError, match=r"take .* GB are free: choose a smaller one"):
        load(checkpoint_folder, precision="float32")


def test_a_copy_in_eight_bits_that_does_not_fit_is_refused(checkpoint_folder, monkeypatch):
    loaded = load(checkpoint_folder, torch.device("cpu"), precision="float32")
    count = loaded.model.parameter_count()
    monkeypatch.setattr("seq2seq.checkpoint.available", lambda: True)
    monkeypatch.setattr("seq2seq.families.loading.free_memory", lambda: 2 * count)
    with pytest.raises(TooLargeError, match="GB are free"):
        loaded.searching_in("int8")


def test_loading_imports_no_compiler_and_draws_no_number(folder):
    """Torch imports its compiler, a second's work, to fill weights on the meta device."""
    script = (
        "import sys, torch\n"
        "from seq2seq.checkpoint import load\n"
        "before = torch.get_rng_state()\n"
        "load(sys.argv[1])\n"
        "assert torch.equal(torch.get_rng_state(), before)\n"
        "print('torch._dynamo' in sys.modules)\n"
    )
    command = [sys.executable, "-c", script, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.skipif(not available(), reason="this machine has no eight-bit kernels")
def test_models_that_load_at_the_same_time_are_those_that_load_alone(checkpoint_folder):
    engine, threads = torch.backends.quantized.engine, torch.get_num_threads()
    alone = load(checkpoint_folder, precision="int8").searcher(SOURCE, TARGET)
    with ThreadPoolExecutor(2) as pool:
        loads = [pool.submit(load, checkpoint_folder, precision="int8") for _ in range(8)]
    for each in loads:
        assert torch.equal(each.result().searcher(SOURCE, TARGET), alone)
    assert torch.backends.quantized.engine == engine
    assert torch.get_num_threads() == threads


def test_tied_weights_are_tied_again(checkpoint_folder):
    model = load(checkpoint_folder).model
    encoder, decoder = model.encoder.embedding, model.decoder.embedding
    source = getattr(encoder, "tokens", encoder).weight
    target = getattr(decoder, "tokens", decoder).weight
    assert (source is target is model.decoder.output.weight) == model.config.tied
    assert not any(weight.is_meta for weight in model.parameters())


def test_the_tokenizer_is_the_one_saved(checkpoint_folder, tokenizer):
    assert load(checkpoint_folder).tokenizer.model == tokenizer.model


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, TOKENIZER, "card.toml"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(UserError, match=name.replace(".", r"\.")):
        load(folder)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, TOKENIZER, "card.toml"])
@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"text", b"\xff\xfe\xfd"])
def test_a_file_of_something_else_is_a_users_mistake(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(UserError, match=r"copied|tokenizer\.model|config"):
        load(folder)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, TOKENIZER, "card.toml"])
def test_a_folder_in_a_files_place_is_a_users_mistake(folder, name):
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(UserError):
        load(folder)


def test_a_missing_weight_is_named(folder):
    name = change_weights(folder, lambda weights: weights.popitem()[0])
    with pytest.raises(UserError, match=f"copied lacks the weight {name}"):
        load(folder)


def test_an_extra_weight_is_named(folder):
    change_weights(folder, lambda weights: weights.update(spare=torch.zeros(1)))
    with pytest.raises(UserError, match="copied has a weight spare"):
        load(folder)


@pytest.mark.parametrize("change", [lambda w: w[:-1], lambda w: w[None], lambda w: w.flatten()[:1]])
def test_a_misshapen_weight_is_named_with_both_shapes(folder, change):
    def misshape(weights):
        name = sorted(weights)[-1]
        weights[name] = change(weights[name]).contiguous()
        return name

    whole = tuple(load_file(folder / WEIGHTS)[sorted(load_file(folder / WEIGHTS))[-1]].shape)
    name = change_weights(folder, misshape)
    with pytest.raises(UserError) as caught:
        load(folder)
    assert name in str(caught.value)
    assert str(whole) in str(caught.value)


def test_a_transposed_weight_is_refused(folder):
    def transpose(weights):
        name = next(
            name for name in weights if name.endswith("embedding.weight") or "tokens" in name
        )
        weights[name] = weights[name].T.contiguous()
        return name

    name = change_weights(folder, transpose)
    with pytest.raises(UserError, match=name):
        load(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_weight_that_is_not_finite_is_named(folder, value):
    def spoil(weights):
        name = sorted(weights)[0]
        weights[name].view(-1)[-1] = value
        return name

    name = change_weights(folder, spoil)
    with pytest.raises(UserError, match=f"not finite in {name}"):
        load(folder)


def test_truncated_weights_are_refused_wherever_they_end(folder):
    whole = (folder / WEIGHTS).read_bytes()
    for end in (0, 1, 7, 8, 9, 100, len(whole) // 2, len(whole) - 1):
        (folder / WEIGHTS).write_bytes(whole[:end])
        with pytest.raises(UserError, match=r"model\.safetensors of copied is damaged"):
            load(folder)
    (folder / WEIGHTS).write_bytes(whole + b"more")
    with pytest.raises(UserError, match=r"model\.safetensors of copied is damaged"):
        load(folder)


def test_a_pickle_is_not_opened(folder, tmp_path):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "opened"), "w")

    (folder / WEIGHTS).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(UserError, match="another format"):
        load(folder)
    torch.save({"weight": torch.zeros(2)}, folder / WEIGHTS)
    with pytest.raises(UserError, match="another format"):
        load(folder)
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    "values",
    [
        {"width": 32},
        {"vocabulary": 121},
        {"decoder_layers": 3},
        {"tied": None},
        {"architecture": "lstm"},
        {"layers": 2},
    ],
    ids=str,
)
def test_a_config_of_another_model_is_refused(folder, values):
    if values == {"tied": None}:
        values = {"tied": not json.loads((folder / CONFIG).read_text())["tied"]}
    change_config(folder, **values)
    with pytest.raises(UserError, match="config"):
        load(folder)


def test_weights_of_another_kind_are_refused(checkpoint_root, folder):
    own = json.loads((folder / CONFIG).read_text())
    for other in checkpoint_root.iterdir():
        if json.loads((other / CONFIG).read_text()) == own:
            continue
        shutil.copyfile(other / CONFIG, folder / CONFIG)
        with pytest.raises(UserError, match=r"config\.json is of another model"):
            load(folder)


def test_a_tokenizer_of_another_size_is_refused(folder, pairs):
    other = Unigram.train([text for pair in pairs for text in pair], pieces=90)
    (folder / TOKENIZER).write_bytes(other.model)
    with pytest.raises(UserError, match="tokenizer of 90 pieces and a model of 120"):
        load(folder)


def test_an_unknown_checkpoint_is_a_users_mistake():
    with pytest.raises(UserError, match="nowhere"):
        load("nowhere")


HUGE = {"vocabulary": 5_000_000, "width": 100_000, "embedding": 100_000, "feedforward": 900_000}


@pytest.mark.parametrize("kind", ["rnn-additive", "transformer"])
def test_a_config_of_absurd_sizes_takes_no_memory(checkpoint_root, tmp_path, kind):
    folder = shutil.copytree(checkpoint_root / kind, tmp_path / "copied")
    change_config(folder, **HUGE, encoder_layers=20, decoder_layers=20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError, match=r"config\.json is of another model"):
        load(folder)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 200_000  # kB on Linux, where the weights would be terabytes


@pytest.mark.parametrize("name", ["width", "vocabulary", "encoder_layers", "decoder_layers"])
def test_a_config_beyond_counting_is_refused(folder, name):
    change_config(folder, **{name: 10**18})
    with pytest.raises(UserError, match=name):
        load(folder)


def test_half_precision_is_all_that_saving_loses(tmp_path, tokenizer):
    model = build(RecurrentConfig(len(tokenizer), width=16)).eval()
    save(tmp_path, model, tokenizer)
    before, after = model(SOURCE, TARGET), read_model(tmp_path).eval()(SOURCE, TARGET)
    torch.testing.assert_close(before, after, atol=5e-3, rtol=0)
    assert not torch.equal(before, after)
