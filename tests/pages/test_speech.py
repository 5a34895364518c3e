"""The speech page: what is given to it, what it shows of it, in AppTest."""

import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

import seq2seq
from seq2seq import catalogue
from seq2seq.checkpoint import save
from seq2seq.data.audio import RATE, log_mel, read_audio
from seq2seq.figures.drawing import Picture
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import build
from seq2seq.trace import Trace
from tests import published
from tests.visit import charts, drawn_by
from ui.runtime import model_store as store

EXAMPLE = "enter four seven nine"
RECORDING = Path("assets/recordings/enter-four-seven-nine.flac")
CARD = 'title = "Tiny"\ntask = "speech"\nlicence = "CC0-1.0"\nsummary = "Fresh weights."\n'


@pytest.fixture(scope="module")
def folders(tmp_path_factory, tokenizer):
    """The embedded model, a Whisper, and one without attention."""
    root = tmp_path_factory.mktemp("speech")
    shutil.copytree(catalogue.CHECKPOINTS / "speech-en", root / "speech-en")
    torch.manual_seed(0)
    values = {"cell": "gru", "attention": "none", "feeds": "context", "input": "audio", "bins": 12}
    save(
        root / "without-attention",
        build(Config.from_dict({"vocabulary": len(tokenizer), "width": 16, **values})),
        tokenizer,
    )
    (root / "without-attention" / "card.toml").write_text(CARD)
    saved = published.save(tmp_path_factory.mktemp("whisper"), "whisper", max_source_positions=150)
    # It writes no times beyond its window of 3 seconds, as the published ones.
    first = saved[2].convert_tokens_to_ids("<|0.00|>")
    settings = saved[0] / "generation_config.json"
    late = {"suppress_tokens": list(range(first + 151, first + 1501))}
    settings.write_text(json.dumps(json.loads(settings.read_text()) | late))
    return root, saved[0]


@pytest.fixture(autouse=True)
def models(folders, monkeypatch):
    root, whisper = folders
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", root)
    st.cache_resource.clear()
    card = catalogue.Card("tiny-whisper", "Tiny Whisper", "speech", "unknown")
    store.models().bring("tiny-whisper", store.Brought(whisper, card, uploaded=False))
    yield
    st.cache_resource.clear()


def open_page(**query):
    at = AppTest.from_file("../../pages/speech.py", default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def upload(at, content, name="clip.wav", key="uploaded"):
    found = next(each for each in at.get("file_uploader") if each.key == key)
    found.set_value((name, content, "audio/wav")).run()
    assert not at.exception
    return at


def said(at):
    kinds = (at.error, at.warning, at.info, at.caption, at.markdown)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def picture(at):
    alts = [each.alt for each in charts(at)]
    return next((alt for alt in alts if "spectrogram" in alt or "over" in alt), None)


def players(at):
    return at.get("audio")


def wav(samples, rate=RATE, form="WAV"):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form)
    return file.getvalue()


def speech(seconds=None):
    samples = soundfile.read(RECORDING, dtype="float32")[0]
    return samples if seconds is None else np.resize(samples, int(seconds * RATE))


def test_the_page_opens_with_an_example_until_it_is_taken_away():
    at = open_page()
    assert at.pills(key="recording").value == "enter fifty six"
    assert picture(at) is not None
    at.pills(key="recording").set_value(None).run()
    assert "Record a sentence" in at.info[0].value
    assert picture(at) is None


def test_each_model_is_offered_what_its_card_says_that_it_hears():
    at = open_page(checkpoint="speech-en")
    card = catalogue.read_card(catalogue.CHECKPOINTS / "speech-en")
    assert card.summary in said(at)
    offered = set(at.pills(key="recording").options)
    assert offered == {Path(each).stem.replace("-", " ") for each in card.examples}
    at = open_page(checkpoint="tiny-whisper")
    assert len(at.pills(key="recording").options) > len(offered)


def test_an_example_in_a_link_is_heard_and_its_errors_are_counted():
    at = open_page(recording=EXAMPLE, step="9")
    assert picture(at).startswith("Waveform, log-mel spectrogram and attention")
    start, end = map(float, re.search(r"Token 9, ` o `: (\S+) to (\S+) s\.", said(at)).groups())
    words = at.dataframe[0].value
    assert list(words["word"]) == EXAMPLE.split()
    assert (words["end, s"] > words["start, s"]).all()
    assert words["start, s"][1] <= start < end <= words["end, s"][1]
    assert [each.value for each in at.metric] == ["0%", "0%"]


def test_what_was_said_is_compared_and_stands_in_the_link():
    at = open_page(recording=EXAMPLE, said="Enter four, seven five nine!")
    assert at.metric[0].value == "20%"
    assert "4 correct, 0 substituted, 1 deleted, 0 inserted" in said(at)
    at.toggle(key="loosely").set_value(False).run()
    assert at.metric[0].value == "80%"
    at.text_input(key="said").set_value("?!").run()
    at.toggle(key="loosely").set_value(True).run()
    assert "There is nothing to compare" in said(at)


def test_an_unknown_example_in_a_link_is_ignored():
    at = open_page(recording="no such thing", listener="7.7", step="-4")
    assert "Record a sentence" in at.info[0].value


def test_the_player_plays_the_slice_of_the_token_and_by_itself_only_after_a_choice():
    at = open_page(recording=EXAMPLE, step="9")
    assert not players(at)[-1].proto.autoplay
    at.slider(key="step").set_value(10).run()
    assert players(at)[-1].proto.autoplay
    at.toggle(key="path").set_value(True).run()
    assert not players(at)[-1].proto.autoplay


def test_toggles_change_what_is_drawn():
    at = open_page(recording=EXAMPLE, step="9", heard_words="true")
    assert re.search(r"Word 2, ` four `: 0\.\d\d to [01]\.\d\d s\.", said(at))
    specs = [json.dumps(charts(at)[0].figure)]
    for key in ("heard_words", "path", "special"):
        at.toggle(key=key).set_value(not at.toggle(key=key).value).run()
        assert not at.exception
        specs.append(json.dumps(charts(at)[0].figure))
    assert len(set(specs)) == 4


def test_the_last_one_given_is_heard_and_one_can_go_back():
    at = open_page(recording=EXAMPLE)
    upload(at, wav(speech(1.0)))
    assert at.segmented_control(key="heard").value == "upload"
    assert "over 1.3 seconds" in picture(at)
    at.segmented_control(key="heard").set_value("example").run()
    assert "over 2.1 seconds" in picture(at)
    at.slider(key="beam_width").set_value(2).run()
    assert at.segmented_control(key="heard").value == "example"
    at.segmented_control(key="heard").set_value("upload").run()
    assert "over 1.3 seconds" in picture(at)
    at.pills(key="recording").set_value("repeat").run()
    assert at.segmented_control(key="heard").value == "example"
    next(each for each in at.get("file_uploader") if each.key == "uploaded").set_value(None).run()
    assert not at.exception
    assert "over 0.9 seconds" in picture(at)


def test_a_recording_is_heard_and_survives_a_control():
    at = open_page()
    at.get("audio_input")[0].set_value(("spoken.wav", wav(speech()), "audio/wav")).run()
    assert not at.exception
    assert EXAMPLE in at.dataframe[0].value["word"].str.cat(sep=" ")
    at.slider(key="beam_width").set_value(1).run()
    assert "over 2.1 seconds" in picture(at)


def clipped():
    return np.clip(20 * speech(), -1, 1)


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "clip.wav", "clip.wav is empty: choose another file."),
        (b"Hello, this is a text.", "clip.wav", "clip.wav cannot be read: give WAV, FLAC"),
        (wav(np.zeros(RATE, "f4")), "clip.wav", "clip.wav is silent: check the microphone"),
        (wav(speech(0.05)), "clip.wav", "clip.wav is shorter than 0.1 seconds: record some more"),
    ],
    ids=["empty", "text", "silent", "short"],
)
def test_what_cannot_be_heard_is_said_in_a_sentence(content, name, sentence):
    at = upload(open_page(recording="repeat"), content, name)
    assert sentence in at.error[0].value.replace("\\", "")
    assert len(at.error) == 1
    assert picture(at) is None
    at.segmented_control(key="heard").set_value("example").run()
    assert not at.error
    assert picture(at)


@pytest.mark.parametrize(
    ("content", "note", "seconds"),
    [
        (wav(clipped()), "too loud", "2.7"),
        (wav(speech(1.0)), "It begins or ends with sound: 0.3 s of silence were added", "1.3"),
        (wav(speech(600)), "Only the first 30 seconds were heard.", "30.0"),
        (wav(np.stack([speech()] * 2, axis=1)), "2 channels were mixed to one.", "2.1"),
        (wav(speech()[::2], 8_000), "Resampled from 8,000 to 16,000 Hz.", "2.1"),
        (wav(speech())[:40_000], "The file ends too early", "1.6"),
        (wav(speech(), form="MP3"), None, "2.1"),
    ],
    ids=["clipped", "one second", "ten minutes", "stereo", "8 kHz", "truncated", "MP3"],
)
def test_what_is_wrong_with_a_recording_is_noted(content, note, seconds):
    at = upload(open_page(), content)
    assert not at.error
    assert f"over {seconds} seconds" in picture(at)
    notes = [element.value.replace("\\", "") for element in at.info]
    assert len(notes) == (note is not None)
    assert note is None or note in notes[0]


def test_the_frames_drawn_are_those_that_the_model_reads(monkeypatch):
    drawn = []
    original = seq2seq.figures.speech.plain
    noted = Picture(lambda *a, **b: drawn.append(a) or original(*a, **b))
    monkeypatch.setattr(seq2seq.figures, "speech", noted)
    open_page(recording=EXAMPLE)
    frames = log_mel(read_audio(RECORDING).samples, 80, level="peak").numpy()
    assert np.array_equal(drawn[-1][2].frames, frames)


@pytest.mark.parametrize("timestamps", ["true", "false"])
@pytest.mark.parametrize("listener", ["mean", "2.1", "nonsense"])
def test_a_whisper_shows_its_heads_and_times(listener, timestamps):
    at = open_page(
        recording=EXAMPLE, checkpoint="tiny-whisper", listener=listener, timestamps=timestamps
    )
    assert not at.error
    picker = at.selectbox(key="listener")
    assert picker.value == ("2.1" if listener == "2.1" else "mean")
    assert len(picker.options) == 1 + 3 * 2
    assert "over 2.1 seconds" in picture(at)
    at.toggle(key="special").set_value(True).run()
    assert not at.exception


def test_a_model_without_attention_shows_the_sound_and_says_why_no_more():
    at = open_page(recording=EXAMPLE, checkpoint="without-attention")
    assert "tokens cannot be aligned with the sound" in said(at)
    assert picture(at).startswith("Waveform and log-mel spectrogram")
    assert not at.error


def test_another_output_of_the_search_has_times_of_its_own():
    at = open_page(recording=EXAMPLE, output="2")
    assert not at.error
    assert list(at.dataframe[0].value["word"]) != EXAMPLE.split()
    assert (at.dataframe[0].value["end, s"] <= 2.08).all()


def test_a_saved_run_shows_attention_over_time_without_its_sound():
    trace = seq2seq.run(seq2seq.load("speech-en"), read_audio(RECORDING))
    at = upload(open_page(), trace.to_json(), "run.json", key="saved_run")
    assert "holds no sound" in said(at)
    assert picture(at).startswith("attention of") or picture(at).startswith("Attention of")
    assert not players(at)
    assert list(at.dataframe[0].value["word"]) == EXAMPLE.split()
    assert not at.error
    assert Trace.from_json(trace.to_json()).text == EXAMPLE


@pytest.mark.parametrize("tab", ["Attention", "Probabilities", "Beam tree", "Tokens"])
@pytest.mark.parametrize("name", ["speech-en", "tiny-whisper", "without-attention"])
def test_the_instruments_below_work_for_recordings(name, tab):
    at = open_page(recording="repeat", checkpoint=name, tab=tab, step="2", word="1")
    assert not at.error
    assert len(next(each for each in at.tabs if each.label == tab).children) > 0


@pytest.mark.parametrize("query", [{}, {"heard_words": "true", "special": "true", "path": "true"}])
def test_the_shown_code_draws_the_picture(query, monkeypatch):
    at = open_page(recording=EXAMPLE, step="9", beam_width="3", **query)
    code = at.code[0].value.replace('Path("recording.flac")', f"Path({str(RECORDING)!r})")
    assert charts(at)[0].figure == drawn_by(code, monkeypatch)[0]


# --- longer than a model's window


def long_page(seconds=7.5):
    """Open the page with a recording of several windows of the tiny Whisper."""
    at = upload(open_page(checkpoint="tiny-whisper"), wav(speech(seconds)))
    assert not at.exception
    return at


@pytest.mark.slow
def test_a_long_recording_is_transcribed_whole_and_one_window_is_looked_at():
    at = long_page()
    assert not at.error
    captions = " ".join(each.value for each in at.caption).replace("\\", "")
    assert "0:07 of 0:07 heard" in captions
    options = at.selectbox(key="window").options
    assert len(options) >= 3
    at.selectbox(key="window").select_index(1).run()
    assert not at.exception
    assert at.selectbox(key="window").value == 1
    assert any("Temperature" in each.value for each in at.caption)
    assert "attention of" in picture(at)
    assert {"Text", "JSON"} <= {each.proto.label for each in at.get("download_button")}


@pytest.mark.slow
def test_a_transcription_that_was_stopped_shows_what_it_has(monkeypatch):
    from ui.views import long_recording

    at = open_page(checkpoint="tiny-whisper")
    windows = []

    def stopping(transcript):
        windows.append(transcript)
        if len(windows) == 2:
            raise st.runtime.scriptrunner.StopException
        return "halfway"

    monkeypatch.setattr(long_recording, "_progress", stopping)
    at = upload(at, wav(speech(7.5)))
    assert len(windows) == 2
    monkeypatch.undo()
    monkeypatch.setattr("ui.views.long_recording.known", lambda subject, what: None)
    at.button(key="stop_transcription").click().run()
    assert not at.exception
    assert any("was stopped" in each.value for each in at.info)
    assert len(at.selectbox(key="window").options) == 2
