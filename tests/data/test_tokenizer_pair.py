"""Models with a vocabulary of its own on each side, from training to the app."""

import json
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import seq2seq
from seq2seq.checkpoint import PAIR, TOKENIZER
from seq2seq.cli.main import main
from seq2seq.data.batching import Example, collate
from seq2seq.data.tokenizer import BOS, EOS, PAD, UNKNOWN
from seq2seq.errors import UserError
from tests.visit import messages, visit

WORDS = {"chat": "KATZE", "chien": "HUND", "vache": "KUH", "souris": "MAUS"}
SHAPES = {
    "recurrent": {"cell": "gru", "attention": "additive", "embedding": 16},
    "untied": {"cell": "lstm", "attention": "dot", "tied": False},
    "plain": {"cell": "lstm"},
    "transformer": {"architecture": "transformer", "heads": 2, "feedforward": 32},
}


@pytest.fixture(scope="module")
def pair():
    source = seq2seq.Unigram.train(WORDS, 100, kind="character")
    return seq2seq.TokenizerPair(source, seq2seq.Unigram.train(WORDS.values(), 100, kind="bpe"))


def config(pair, **values):
    sizes = {"source_vocabulary": len(pair.source), "shared": False, "width": 32, "dropout": 0.0}
    return seq2seq.Config.from_dict({"vocabulary": len(pair), **sizes, **values})


@pytest.fixture(scope="module")
def trained(pair):
    torch.manual_seed(0)
    model = seq2seq.build(config(pair, **SHAPES["recurrent"]))
    batch = collate([Example(pair.encode(a), pair.encode_target(b)) for a, b in WORDS.items()])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(80):
        logits = model(batch.source, batch.target)
        loss = F.cross_entropy(logits.transpose(1, 2), batch.labels, ignore_index=PAD)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return seq2seq.Checkpoint(model, pair)


@pytest.fixture
def folder(trained, root):
    seq2seq.save(root / "animals", trained)
    return root / "animals"


def test_each_side_has_its_pieces(pair):
    assert len(pair) == len(pair.target) != len(pair.source)
    ids, written = pair.encode("chat"), pair.encode_target("HUND")
    assert pair.source_pieces(ids) == pair.split("chat").pieces == ("▁", "c", "h", "a", "t")
    assert "".join(pair.pieces(written)) == "▁HUND"
    assert pair.decode([BOS, *written, EOS]) == "HUND"
    assert UNKNOWN in pair.encode("HUND")
    assert pair.around() == ((), (EOS,))
    assert pair.special_ids() == (PAD, UNKNOWN, BOS, EOS)


def test_a_few_steps_teach_it_and_a_folder_keeps_it(trained, folder):
    again = seq2seq.load(folder)
    assert {path.name for path in folder.glob("*.model")} == set(PAIR)
    for checkpoint in (trained, again, folder.name):
        written = seq2seq.generate(checkpoint, list(WORDS))
        assert [each.text for each in written] == list(WORDS.values())
    trace = seq2seq.run(again, "chat")
    assert trace.source.pieces == ("▁", "c", "h", "a", "t", "</s>")
    assert trace.source.special == (*[False] * 5, True)
    assert "".join(trace.target.pieces) == "▁KATZE</s>"
    assert seq2seq.Trace.from_json(trace.to_json()).source == trace.source
    assert seq2seq.force(again, "chat", "HUND").text == "HUND"


@pytest.mark.parametrize("kind", SHAPES)
def test_every_architecture_takes_two_vocabularies(pair, tmp_path, kind):
    own = seq2seq.Checkpoint(seq2seq.build(config(pair, **SHAPES[kind])), pair)
    seq2seq.save(tmp_path, own)
    again = seq2seq.load(tmp_path)
    assert again.model.config == own.model.config
    before, after = (seq2seq.force(each, "chien", "KUH") for each in (own, again))
    np.testing.assert_allclose(before.log_probabilities, after.log_probabilities, atol=1e-2)
    assert len(seq2seq.run(again, "chien", seq2seq.Options(max_length=4)).target) <= 4


def test_the_command_line_opens_it(folder, capsys):
    assert main(["run", str(folder), "vache"]) == 0
    assert capsys.readouterr().out == "KUH\n"
    assert main(["list"]) == 0
    assert "animals\ttranslation" in capsys.readouterr().out


@pytest.mark.parametrize("tab", ["Attention", "Step internals", "Tokens", "Attribution"])
def test_the_app_opens_it(folder, tab):
    at = visit("translation", checkpoint="animals", text="souris", tab=tab)
    assert not at.exception
    assert not at.error, messages(at)
    shown = [each.proto.json for each in at.get("bidi_component")]
    assert any("MAUS" in each for each in shown)


def test_saving_a_model_of_the_other_kind_leaves_no_old_tokenizer(folder, trained, tokenizer):
    single = seq2seq.build(seq2seq.Config.from_dict({"vocabulary": len(tokenizer), "width": 16}))
    seq2seq.save(folder, single, tokenizer)
    assert [path.name for path in folder.glob("*.model")] == [TOKENIZER]
    assert seq2seq.load(folder).tokenizer.model == tokenizer.model
    seq2seq.save(folder, trained)
    assert {path.name for path in folder.glob("*.model")} == set(PAIR)
    assert seq2seq.run(folder, "chat").text == "KATZE"


@pytest.mark.parametrize("name", PAIR)
def test_a_missing_or_damaged_half_is_named(folder, name):
    (folder / name).write_bytes(b"text")
    with pytest.raises(UserError, match=re.escape(f"{name} is damaged")):
        seq2seq.load(folder)
    (folder / name).unlink()
    with pytest.raises(UserError, match=re.escape(name)):
        seq2seq.load(folder)


# --- what does not fit


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"source_vocabulary": 50}, "source tokenizer of .* and a model of 50"),
        ({"source_vocabulary": 0}, "source tokenizer of"),
        ({"vocabulary": 50}, "target tokenizer of .* and a model of 50"),
    ],
    ids=str,
)
def test_wrong_sizes_are_one_sentence(pair, tmp_path, values, named):
    model = seq2seq.build(config(pair, **values))
    with pytest.raises(UserError, match=named):
        seq2seq.Checkpoint(model, pair)
    with pytest.raises(UserError, match=named):
        seq2seq.save(tmp_path / "new", model, pair)


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"shared": True}, "set shared to false"),
        ({"copies": True, "attention": "dot"}, "set copies to false"),
        ({"input": "audio"}, "give it one tokenizer"),
    ],
    ids=str,
)
def test_what_needs_one_vocabulary_is_refused(pair, values, remedy):
    same = seq2seq.TokenizerPair(pair.target, pair.target)
    model = seq2seq.build(config(pair, source_vocabulary=len(pair), **values))
    with pytest.raises(UserError, match=remedy):
        seq2seq.Checkpoint(model, same)


def test_vocabularies_of_other_sizes_share_nothing(pair):
    for values, remedy in (({"shared": True}, "set shared to false"), ({"copies": True}, "copied")):
        with pytest.raises(UserError, match=remedy):
            config(pair, attention="dot", **values)


def test_one_tokenizer_is_not_enough_for_two_vocabularies(pair):
    with pytest.raises(UserError, match="give a TokenizerPair"):
        seq2seq.Checkpoint(seq2seq.build(config(pair)), pair.target)


@pytest.mark.parametrize("other", [None, 5, "tokenizer", object()])
def test_a_pair_is_of_two_tokenizers(pair, other):
    with pytest.raises(UserError, match="target tokenizer is"):
        seq2seq.TokenizerPair(pair.source, other)
    with pytest.raises(UserError, match="source tokenizer is"):
        seq2seq.TokenizerPair(other, pair.target)


def test_a_config_of_other_sizes_is_refused(folder):
    path = folder / "config.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | {"source_vocabulary": values["source_vocabulary"] + 1}))
    with pytest.raises(UserError, match=r"config\.json is of another model"):
        seq2seq.load(folder)


def test_published_sides_are_named_apart(cases):
    ours = cases("marian-separate").ours
    ids = ours.encode("The cat sleeps.")
    assert ours.source_pieces(ids) == ours.split("The cat sleeps.").pieces
    assert ours.pieces(ids) != ours.source_pieces(ids)
    assert not set(ids) & ours.source_special
    end = ours.around()[1]
    assert re.fullmatch("</s>", *ours.source_pieces(end))
