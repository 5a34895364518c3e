"""Long recordings, window by window: token for token what transformers makes of them."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import WhisperFeatureExtractor

import seq2seq
from seq2seq import Options, UserError
from seq2seq.cli.main import main
from seq2seq.data.audio import RATE, Audio, log_mel, to_wav
from seq2seq.inference import long_form
from seq2seq.inference.long_form import LongForm, compression_ratio, cut_at_times, transcribe_long
from seq2seq.inference.transcription import transcribe
from tests.families.test_generation_configs import configured, random_model, whisper_settings

FIRST = 1000  # of the times, in outputs that are written by hand
PLAIN = LongForm((0.0,), compression_ratio=None, log_probability=None, no_speech=None)
ALONE = dataclasses.replace(PLAIN, previous_text=False)


def whisper(root, kind="multilingual", seconds=1.0, bins=8, seed=0):
    """Save a tiny Whisper whose times lie in its window, loaded on both sides."""
    folder, model, tokenizer = random_model(
        root, "whisper", seed, max_source_positions=round(50 * seconds), num_mel_bins=bins
    )
    first = tokenizer.convert_tokens_to_ids("<|0.00|>")
    with torch.no_grad():  # so that texts and times take turns
        model.get_output_embeddings().weight[-1501:].mul_(1.7)
    model.save_pretrained(folder)
    settings = whisper_settings(tokenizer, kind == "english")
    settings["suppress_tokens"] += list(range(first + round(50 * seconds) + 1, first + 1501))
    settings["prev_sot_token_id"] = tokenizer.convert_tokens_to_ids("<|startofprev|>")
    settings["max_length"] = 64
    return configured(folder, model, **settings), model, tokenizer


@pytest.fixture(scope="module", params=["multilingual", "english"])
def both(request, tmp_path_factory):
    return whisper(tmp_path_factory.mktemp(request.param), request.param)


def sound(count, bins=8, seed=0):
    """Make frames that change as speech does, so that windows differ."""
    generator = torch.Generator().manual_seed(seed)
    steps = torch.randn(count // 10 + 1, bins, generator=generator).repeat_interleave(10, 0)
    return (steps[:count] + 0.3 * torch.randn(count, bins, generator=generator)).contiguous()


def theirs(model, frames, **settings):
    found = model.generate(
        frames.T[None], return_timestamps=True, return_segments=True, num_beams=1, **settings
    )
    return [
        (round(float(part["start"]), 2), round(float(part["end"]), 2), part["tokens"].tolist())
        for part in found["segments"][0]
    ]


def ours(transcript):
    return [(round(s.start, 2), round(s.end, 2), list(s.tokens)) for s in transcript.segments]


GREEDY = Options(method="greedy", beam_width=1)


@pytest.mark.parametrize("count", [101, 250, pytest.param(1_500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("settings", [ALONE, PLAIN], ids=["alone", "with what was said"])
def test_segments_are_those_of_transformers(both, count, settings):
    checkpoint, model, _ = both
    frames = sound(count, seed=count)
    found = transcribe_long(checkpoint, frames, GREEDY, settings)
    expected = theirs(model, frames, condition_on_prev_tokens=settings.previous_text)
    assert ours(found) == expected
    assert len(found.windows) > 1
    assert found.is_complete
    if count == 1_500:
        assert len({len(tokens) for _, _, tokens in expected}) > 1
        advances = np.diff([window.start for window in found.windows])
        assert 0 < advances.min() < advances.max() < 1.01
        led = [len(window.options.previous_tokens) for window in found.windows]
        assert (max(led) > 20) is settings.previous_text


@pytest.mark.slow
@pytest.mark.parametrize("least", [-0.5, -0.4])
@pytest.mark.parametrize("most", [0.0, 1e-10, 1e-9])
def test_silence_is_left_out_as_in_transformers(both, least, most):
    checkpoint, model, _ = both
    frames = sound(800, seed=3)
    settings = dataclasses.replace(ALONE, log_probability=least, no_speech=most)
    found = transcribe_long(checkpoint, frames, GREEDY, settings)
    expected = theirs(
        model, frames, temperature=0.0, logprob_threshold=least, no_speech_threshold=most
    )
    assert ours(found) == expected
    silent = [window for window in found.windows if window.silent]
    assert all(not window.segments for window in silent)
    if (least, most) == (-0.4, 0.0):
        assert silent


@pytest.mark.parametrize("seconds", [98, pytest.param(600, marks=pytest.mark.slow)])
def test_a_long_recording_is_heard_to_its_end(tmp_path, seconds):
    checkpoint, model, _ = whisper(tmp_path, seconds=30.0, bins=80)
    rng = np.random.default_rng(0)
    level = np.repeat(rng.uniform(0, 0.5, 10 * seconds), 1_600)
    samples = (level * rng.normal(0, 0.3, len(level))).clip(-1, 1).astype(np.float32)
    extractor = WhisperFeatureExtractor(feature_size=80)
    features = extractor(
        samples, sampling_rate=16_000, return_tensors="pt", truncation=False, padding="longest"
    ).input_features[0]
    torch.testing.assert_close(log_mel(samples), features.T, atol=2e-4, rtol=0)
    found = transcribe_long(checkpoint, Audio(samples, float(seconds)), GREEDY, PLAIN)
    assert ours(found) == theirs(model, features.T, condition_on_prev_tokens=True)
    assert found.total == pytest.approx(seconds)
    assert len(found.windows) >= seconds / 30
    generated = transcribe(checkpoint, Audio(samples, float(seconds)), GREEDY)
    assert generated.transcript is not None
    assert generated.transcript.is_complete
    assert generated.text == generated.transcript.text
    [hypothesis] = generated.hypotheses
    assert hypothesis.tokens == generated.transcript.tokens
    assert generated.tree.path(hypothesis.node) == list(range(len(hypothesis.tokens)))


@pytest.mark.slow
def test_long_and_short_recordings_may_be_given_together(both):
    checkpoint = both[0]
    parts, done = [sound(80), sound(240), sound(90, seed=2)], []
    found = transcribe(checkpoint, parts, GREEDY, on_group=done.append)
    assert sum(done) == 3
    assert [each.transcript is not None for each in found] == [False, True, False]
    [alone] = transcribe(checkpoint, parts[0], GREEDY).hypotheses
    assert found[0].hypotheses[0].tokens == alone.tokens
    assert found[1].text == transcribe_long(checkpoint, parts[1], GREEDY).text


def test_each_window_tells_where_it_stands_and_may_be_the_last(both):
    checkpoint, frames = both[0], sound(1_000)
    seen = []

    def on_window(transcript):
        seen.append(transcript)
        return len(seen) == 3

    found = transcribe_long(checkpoint, frames, GREEDY, PLAIN, on_window)
    assert found is seen[-1]
    assert [len(each.windows) for each in seen] == [1, 2, 3]
    assert seen[0].seconds < seen[1].seconds < seen[2].seconds < found.total == 10.0
    assert not found.is_complete


def test_a_run_over_a_window_writes_what_the_window_wrote(both):
    checkpoint = both[0]
    samples = np.random.default_rng(2).normal(0, 0.1, 40_000).astype(np.float32)
    found = transcribe_long(checkpoint, Audio(samples, 2.5), GREEDY, PLAIN)
    for window in found.windows:
        begin = round(window.start * 16_000)
        part = samples[begin : begin + round(window.seconds * 16_000)]
        trace = seq2seq.run(checkpoint, Audio(part, window.seconds), window.options)
        assert trace.target.ids[: len(window.tokens)] == window.tokens
        assert trace.options.previous_tokens == window.options.previous_tokens


def test_a_short_run_says_what_it_did_not_hear(both):
    samples = np.random.default_rng(2).normal(0, 0.1, 40_000).astype(np.float32)
    trace = seq2seq.run(both[0], Audio(samples, 2.5), GREEDY)
    assert "Only the first 1 seconds were heard." in trace.notes


def test_a_model_without_times_hears_no_more_than_a_window(both, checkpoint_root):
    checkpoint = both[0]
    speech = dataclasses.replace(checkpoint.generation_config.speech, first_time=None)
    settings = dataclasses.replace(checkpoint.generation_config, speech=speech)
    timeless = dataclasses.replace(checkpoint, generation_config=settings)
    with pytest.raises(UserError, match="writes no times"):
        transcribe_long(timeless, sound(300), GREEDY)
    with pytest.raises(UserError, match="reads text"):
        transcribe_long(str(checkpoint_root / "transformer"), sound(300))


# --- what a recording may cost


def peak():
    """Return the most bytes that this process has held since the last `forget_peak`."""
    [line] = [row for row in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in row]
    return 1_024 * int(line.split()[1])


def forget_peak():
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pytest.skip("this system does not count the peak of a process anew")


@pytest.fixture(scope="module")
def ten_seconds(tmp_path_factory):
    """A tiny Whisper whose window is 10 seconds of 80 bands."""
    return whisper(tmp_path_factory.mktemp("ten"), seconds=10.0, bins=80)[0]


@pytest.mark.parametrize(("seconds", "windows"), [(98, 10), (600, 60)])
def test_memory_is_bounded_however_long_a_recording_is(ten_seconds, monkeypatch, seconds, windows):
    checkpoint, encoded = ten_seconds, []
    first = checkpoint.generation_config.speech.first_time
    # Each window is one segment to its end.
    scripted(monkeypatch, lambda window, heat: ((first, 5 + window % 9, first + 500), -0.3, 1.0))
    forward = checkpoint.model.encoder.forward
    monkeypatch.setattr(
        checkpoint.model.encoder,
        "forward",
        lambda source, *rest, **more: (
            encoded.append(tuple(source.shape)) or forward(source, *rest, **more)
        ),
    )
    samples = np.random.default_rng(0).normal(0, 0.1, seconds * RATE).astype(np.float32)
    transcribe(checkpoint, sound(1_001, bins=80), GREEDY)  # what is made once
    encoded.clear()
    forget_peak()
    before = peak()
    found = transcribe(checkpoint, Audio(samples, float(seconds)), GREEDY).transcript
    taken = peak() - before
    assert found.is_complete
    assert (found.total, len(found.windows)) == (seconds, windows)
    assert [window.start for window in found.windows] == [10.0 * each for each in range(windows)]
    # One window at a time: the recording, its frames, and what one window takes.
    assert encoded == [(1, 1_000, 80)] * windows
    scores = 4 * 4 * 500**2  # bytes of four heads, of which the encoder holds a few at a time
    assert taken < 3 * samples.nbytes + 8 * scores


# --- the temperature goes up where a text is bad


def scripted(monkeypatch, outputs):
    """Let windows write what a list says, by temperature; returns the temperatures tried."""
    tried = []

    def at(self, memory, options, temperature):
        tried.append(temperature)
        tokens, mean, ratio = outputs(len(self.windows), temperature)
        found = long_form.Hypothesis(tokens, (mean,) * len(tokens), mean, False, 0)
        return long_form._Try(found, tokens, mean, ratio, temperature)

    monkeypatch.setattr(long_form._Windows, "_at", at)
    return tried


def test_repeats_are_decoded_again_until_a_text_passes(both, monkeypatch):
    checkpoint = both[0]
    first = checkpoint.generation_config.speech.first_time
    tried = scripted(
        monkeypatch, lambda window, heat: ((first, 5, first + 50), -0.3, 3.0 if heat < 0.6 else 1.2)
    )
    found = transcribe_long(checkpoint, sound(100), GREEDY)
    assert tried == [0.0, 0.2, 0.4, 0.6]
    assert [window.temperature for window in found.windows] == [0.6]


def test_unlikely_texts_are_decoded_again_and_lead_nothing(both, monkeypatch):
    checkpoint = both[0]
    first = checkpoint.generation_config.speech.first_time

    def outputs(window, heat):
        likely = window != 1 or heat == 1.0
        return (first, 5 + window, first + 50), -0.3 if likely else -1.5, 1.0

    tried = scripted(monkeypatch, outputs)
    found = transcribe_long(checkpoint, sound(400), GREEDY)
    assert tried == [0.0, *(0.0, 0.2, 0.4, 0.6, 0.8, 1.0), 0.0, 0.0]
    led = [window.options.previous_tokens for window in found.windows]
    assert led[1] == (first, 5, first + 50)
    assert led[2] == ()  # the window before was guessed
    assert led[3] == (first, 7, first + 50)


def test_a_time_of_zero_does_not_stand_still(both, monkeypatch):
    checkpoint = both[0]
    first = checkpoint.generation_config.speech.first_time
    scripted(monkeypatch, lambda window, heat: ((first, 5, first, first), -0.3, 1.0))
    found = transcribe_long(checkpoint, sound(300), GREEDY)
    assert [window.start for window in found.windows] == [0.0, 1.0, 2.0]


@pytest.mark.slow
def test_higher_temperatures_draw_the_same_every_time(both):
    settings = LongForm((0.0, 0.7), compression_ratio=0.0)
    a, b = (transcribe_long(both[0], sound(250), GREEDY, settings) for _ in range(2))
    assert a == b
    assert {window.temperature for window in a.windows} == {0.7}


# --- where an output is cut


@pytest.mark.parametrize(
    ("tokens", "parts", "advance"),
    [
        ((), [], 100),
        ((5, 6), [((5, 6), 0.0, 50.0)], 100),
        ((1000, 5, 1030), [((1000, 5, 1030), 0.0, 30)], 100),
        ((1000, 5, 1000), [((1000, 5, 1000), 0.0, 50.0)], 100),
        (
            (1000, 5, 1020, 1020, 6, 1040),
            [((1000, 5, 1020), 0, 20), ((1020, 6, 1040), 20, 40)],
            100,
        ),
        ((1003, 5, 1020, 1021, 6), [((1003, 5, 1020, 1021), 3, 20)], 40),
        (
            (1000, 5, 1010, 1012, 6, 1031, 1031),
            [((1000, 5, 1010), 0, 10), ((1012, 6, 1031, 1031), 12, 31)],
            62,
        ),
    ],
)
def test_an_output_is_cut_at_its_times(tokens, parts, advance):
    assert cut_at_times(tokens, FIRST, 100, 2) == (parts, advance)


def test_a_text_that_repeats_itself_becomes_small():
    assert compression_ratio("") == 0
    assert compression_ratio("The small cat sleeps on the old chair.") < 1.3
    assert compression_ratio("thank you " * 60) > 10


def test_saved_runs_of_before_open(both):
    trace = seq2seq.run(both[0], Audio(np.ones(9_000, np.float32) / 9, 0.5), GREEDY)
    values = json.loads(trace.to_json())
    del values["options"]["previous_tokens"]
    again = seq2seq.Trace.from_json(json.dumps(values).encode())
    assert again.options == trace.options


def test_the_command_prints_segments_and_where_it_stands(tmp_path, capsys):
    checkpoint, _, _ = whisper(tmp_path)
    samples = np.random.default_rng(2).normal(0, 0.1, 40_000).clip(-1, 1).astype(np.float32)
    path = tmp_path / "long.wav"
    path.write_bytes(to_wav(samples))
    command = ["run", str(tmp_path / "model"), "--audio", str(path), "--method", "greedy"]
    assert main([*command, "--timestamps"]) == 0
    printed = capsys.readouterr()
    expected = transcribe_long(checkpoint, seq2seq.read_audio(path), GREEDY)
    lines = [f"[{s.start:.2f} - {s.end:.2f}] {s.text}" for s in expected.segments]
    assert printed.out.splitlines() == "\n".join(lines).splitlines()
    assert "2 of 2 s" in printed.err
    assert main([*command, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["text"] == expected.text
    assert [each["tokens"] for each in values["segments"]] == [
        list(s.tokens) for s in expected.segments
    ]
