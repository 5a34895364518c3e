"""What the functions of the package take: a checkpoint or its name, one input or a list."""

from pathlib import Path

import numpy as np
import pytest
import torch

import seq2seq
from seq2seq.data.audio import RATE, Audio
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.inference.inputs import hear, prepare
from seq2seq.models.config import Config

SHORT = Options(max_length=4)
TEXTS = ["The cat sleeps.", "Where is the dog?"]


@pytest.fixture(scope="module")
def listener(tokenizer):
    torch.manual_seed(0)
    return own(tokenizer, input="audio", bins=8, attention="dot")


def own(tokenizer, **values):
    config = Config.from_dict({"vocabulary": len(tokenizer), "width": 16, **values})
    return seq2seq.Checkpoint(seq2seq.build(config), tokenizer)


def recording(seconds=0.5):
    samples = np.random.default_rng(0).normal(size=int(RATE * seconds)).astype(np.float32)
    return Audio(0.1 * samples, seconds)


# --- a checkpoint or its name, one input or several


def test_a_checkpoint_may_be_named(root, checkpoint_folder):
    expected = seq2seq.run(seq2seq.load(checkpoint_folder), TEXTS[0], SHORT).text
    for named in (checkpoint_folder.name, str(checkpoint_folder), checkpoint_folder):
        assert seq2seq.run(named, TEXTS[0], SHORT).text == expected
        assert seq2seq.generate(named, TEXTS[0], SHORT).text == expected
    assert seq2seq.force(checkpoint_folder.name, TEXTS[0], "Le chat.").text == "Le chat."


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_list_gives_a_list(checkpoint, kind):
    alone = [seq2seq.run(checkpoint, text, SHORT).text for text in TEXTS]
    assert [each.text for each in seq2seq.run(checkpoint, kind(TEXTS), SHORT)] == alone
    assert [each.text for each in seq2seq.generate(checkpoint, kind(TEXTS), SHORT)] == alone
    assert seq2seq.run(checkpoint, kind(), SHORT) == seq2seq.generate(checkpoint, kind()) == []


def test_outputs_are_followed_one_by_one(checkpoint):
    outputs = ["Le chat.", [5, 6, 3]]
    forced = seq2seq.force(checkpoint, TEXTS, outputs)
    assert forced[0].text == "Le chat."
    assert forced[1].target.ids == (5, 6, 3)
    with pytest.raises(UserError, match="2 sources: give a list of as many outputs"):
        seq2seq.force(checkpoint, TEXTS, "Le chat.")


def test_recordings_are_taken_alike(listener):
    one, other = recording(), recording(0.4)
    expected = [seq2seq.run(listener, each, SHORT).text for each in (one, other)]
    for work in (seq2seq.run, seq2seq.generate, seq2seq.transcribe):
        assert [each.text for each in work(listener, [one, other], SHORT)] == expected
        assert work(listener, one, SHORT).text == expected[0]


def test_what_is_generated_shows_its_text(checkpoint):
    found = seq2seq.generate(checkpoint, TEXTS[0], SHORT)
    assert found.text == checkpoint.text(found.hypotheses[0].tokens)
    assert repr(found) == f"Generated({found.text!r}, {len(found.hypotheses)} hypotheses)"


def test_a_recording_is_read_from_a_path_as_text_too(tmp_path):
    import soundfile

    path = tmp_path / "sound.wav"
    soundfile.write(path, recording().samples, RATE)
    assert np.array_equal(seq2seq.read_audio(str(path)).samples, seq2seq.read_audio(path).samples)
    with pytest.raises(UserError, match=r"no file nowhere\.wav"):
        seq2seq.read_audio("nowhere.wav")


# --- arguments of other kinds


@pytest.mark.parametrize("given", [None, 5, b"name", ["gru-plain"], {}, object()])
def test_what_is_no_checkpoint_is_one_sentence(given):
    for work in (seq2seq.run, seq2seq.generate, seq2seq.transcribe):
        with pytest.raises(UserError, match=r"checkpoint is needed.*seq2seq\.load"):
            work(given, "a")
    with pytest.raises(UserError, match="checkpoint is needed"):
        seq2seq.force(given, "a", "b")


@pytest.mark.parametrize("given", [None, 5, b"name", ["gru-plain"], {}, object()])
def test_only_names_are_loaded(given):
    with pytest.raises(UserError, match="give one as text or Path"):
        seq2seq.load(given)


def test_a_file_is_no_checkpoint(root, tmp_path):
    file = tmp_path / "sound.wav"
    file.touch()
    with pytest.raises(UserError, match=r"sound.wav is a file, not a model's folder"):
        seq2seq.run(file, "a")
    for given in ("../no/folder", "nowhere"):
        with pytest.raises(UserError, match=r"There is no checkpoint .*gru-plain"):
            seq2seq.run(given, "a")


def test_a_model_alone_is_no_checkpoint(checkpoint):
    with pytest.raises(UserError, match=r"give seq2seq\.Checkpoint\(model, tokenizer\)"):
        seq2seq.run(checkpoint.model, "a")


def test_a_model_in_training_is_not_run(tokenizer):
    checkpoint = own(tokenizer)
    checkpoint.model.train()
    with pytest.raises(UserError, match=r"call its eval\(\)"):
        seq2seq.run(checkpoint, "a")


@pytest.mark.parametrize("given", [None, 5, 2.5, b"text", Path("text"), {"text": "a"}, {"a"}])
def test_what_is_no_text_is_one_sentence(checkpoint, given):
    for work in (seq2seq.run, seq2seq.generate):
        with pytest.raises(UserError, match=r"^The input is .*: give a text"):
            work(checkpoint, given)
        with pytest.raises(UserError, match=r"^Input 2 of 3: The input is .*: give a text"):
            work(checkpoint, ["a", given, "b"])
    with pytest.raises(UserError, match=r"^The input is .*: give a text"):
        seq2seq.force(checkpoint, given, "a")


def test_who_reads_does_not_hear(checkpoint, listener):
    for work in (seq2seq.run, seq2seq.generate, seq2seq.transcribe):
        with pytest.raises(UserError, match="reads text"):
            work(checkpoint, recording())
    with pytest.raises(UserError, match="reads text"):
        seq2seq.transcribe(checkpoint, torch.zeros(5, 8))
    for given in ("text", Path("sound.wav"), None, 5):
        for work in (seq2seq.run, seq2seq.generate, seq2seq.transcribe):
            with pytest.raises(UserError, match=r"hears: .*seq2seq\.read_audio"):
                work(listener, given)
    with pytest.raises(UserError, match=r"give \(frames, 8\)"):
        seq2seq.transcribe(listener, torch.zeros(50, 9))


@pytest.mark.parametrize("options", [5, {"beam_width": 3}, "greedy"])
def test_options_of_another_kind_are_one_sentence(checkpoint, options):
    for work in (seq2seq.run, seq2seq.generate):
        with pytest.raises(UserError, match=r"give seq2seq\.Options"):
            work(checkpoint, "a", options)


@pytest.mark.parametrize("interventions", [None, 5, {"muted": 1}])
def test_interventions_of_another_kind_are_one_sentence(checkpoint, interventions):
    for work in (seq2seq.run, lambda *given, **more: seq2seq.force(*given, "b", **more)):
        with pytest.raises(UserError, match=r"give seq2seq\.Interventions"):
            work(checkpoint, "a", interventions=interventions)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"precision": "int4"}, "'int4': use float32, int8"),
        ({"precision": 8}, "8: use float32, int8"),
        ({"device": "gpu"}, "device 'gpu'"),
        ({"device": 5.5}, "device 5.5"),
    ],
)
def test_settings_of_loading_are_checked(checkpoint_folder, settings, named):
    with pytest.raises(UserError, match=named):
        seq2seq.load(checkpoint_folder, **settings)


def test_a_device_may_be_named(checkpoint_folder):
    assert seq2seq.load(checkpoint_folder, "cpu").device == torch.device("cpu")


@pytest.mark.parametrize("config", [None, 5, {"vocabulary": 90}, "config.json"])
def test_only_a_config_is_built(config):
    with pytest.raises(UserError, match=r"seq2seq\.Config\.from_dict"):
        seq2seq.build(config)


@pytest.mark.parametrize("target", [None, 5, 2.5, ["a"], [None], {}, [0.5]])
def test_what_is_no_output_is_one_sentence(checkpoint, target):
    with pytest.raises(UserError, match="give a text, or its ids"):
        seq2seq.force(checkpoint, "a", target)


@pytest.mark.parametrize("source", [None, 5, np.zeros(9), ["a.wav"]])
def test_what_is_no_recording_is_one_sentence(source):
    with pytest.raises(UserError, match="give its path or its bytes"):
        seq2seq.read_audio(source)


# --- a model of one's own


def test_a_model_of_ones_own_runs_and_is_saved(tmp_path, tokenizer):
    first = own(tokenizer)
    seq2seq.save(str(tmp_path / "mine"), first)
    again = seq2seq.load(tmp_path / "mine")
    assert again.card.name == "mine"
    assert again.generation_config == first.generation_config
    before, after = (seq2seq.force(each, "The cat.", "Le chat.") for each in (first, again))
    np.testing.assert_allclose(before.log_probabilities, after.log_probabilities, atol=5e-3)


def test_a_card_stays_unless_a_checkpoint_brings_one(tmp_path, checkpoint):
    seq2seq.save(tmp_path, checkpoint)
    seq2seq.save(tmp_path, checkpoint.model, checkpoint.tokenizer)
    assert seq2seq.load(tmp_path).card.title == checkpoint.card.title
    seq2seq.save(tmp_path, seq2seq.Checkpoint(checkpoint.model, checkpoint.tokenizer))
    assert seq2seq.load(tmp_path).card.title == "A model"


@pytest.mark.parametrize("folder", [None, 5, "", " "])
def test_where_to_save_is_a_path(checkpoint, folder):
    with pytest.raises(UserError, match="give its path first"):
        seq2seq.save(folder, checkpoint)


def test_a_file_is_no_folder_to_save_to(tmp_path, checkpoint):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="name a folder"):
        seq2seq.save(tmp_path / "file", checkpoint)


def test_only_models_and_tokenizers_of_this_library_are_saved(tmp_path, checkpoint, tokenizer):
    for parts in ((None, tokenizer), (checkpoint.model, None), (checkpoint.model,), ("a", "b")):
        with pytest.raises(UserError, match=r"save\(folder, checkpoint\)"):
            seq2seq.save(tmp_path / "new", *parts)
    assert not (tmp_path / "new").exists()


def test_a_checkpoint_is_a_model_and_its_tokenizer(checkpoint, tokenizer):
    for parts in ((tokenizer, checkpoint.model), (checkpoint.model, None), ("a", "b")):
        with pytest.raises(UserError, match="a model and its tokenizer"):
            seq2seq.Checkpoint(*parts)
    with pytest.raises(UserError, match="tokenizer of 120 pieces and a model of 90"):
        own(tokenizer, vocabulary=90)


def test_a_recording_without_quiet_at_its_ends_is_given_some(tokenizer):
    hears = own(tokenizer, input="audio", bins=8, attention="dot", level="peak", margin=0.2)
    word = np.sin(np.arange(8_000) * 0.2).astype("f4")
    hush = np.zeros(3_200, "f4")
    whole = np.concatenate([hush, word, hush])
    cut, quiet = (Audio(samples, len(samples) / 16_000) for samples in (word, whole))
    alone, framed = prepare(hears, cut), prepare(hears, quiet)
    assert torch.equal(alone.frames, framed.frames)
    assert alone.ids == framed.ids
    assert alone.notes == ("It begins or ends with sound: 0.2 s of silence were added there.",)
    assert framed.notes == ()
    assert np.array_equal(hear(hears, cut).samples, whole)
    assert len(hear(hears, cut).frames) == len(alone.frames)
