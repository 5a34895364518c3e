"""Recordings in every state, the resampling filter, and the features against the referee."""

import io
import struct
import tracemalloc

import numpy as np
import pytest
import soundfile
import torch

from seq2seq.data.audio import HOP, RATE, log_mel, read_audio, resample, with_quiet
from seq2seq.errors import UserError


def sine(hertz, rate=RATE, seconds=1.0, level=0.5):
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)).astype("f4")


def recording(samples, rate=RATE, form="WAV", subtype=None):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()


def level_at(samples, hertz, rate=RATE):
    """Amplitude of one frequency, away from the edges."""
    middle = np.asarray(samples, dtype="f8")[len(samples) // 4 : -len(samples) // 4]
    turns = np.exp(-2j * np.pi * hertz * np.arange(len(middle)) / rate)
    window = np.hanning(len(middle))
    return 2 * abs((middle * window * turns).sum()) / window.sum()


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3"])
def test_every_format_gives_the_same_tone(form):
    audio = read_audio(recording(sine(440, seconds=9), form=form))
    assert audio.samples.dtype == np.float32
    assert audio.seconds == pytest.approx(9, abs=0.1)
    assert level_at(audio.samples, 440) == pytest.approx(0.5, abs=0.02)
    assert np.abs(np.diff(audio.samples[4000:-4000])).max() < 0.1  # nothing between blocks is torn
    assert audio.notes == ()


def test_a_file_is_read_as_its_bytes_are(tmp_path):
    path = tmp_path / "tone.wav"
    path.write_bytes(recording(sine(440)))
    assert np.array_equal(read_audio(path).samples, read_audio(path.read_bytes()).samples)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 44_099])
def test_a_tone_survives_resampling(rate):
    audio = read_audio(recording(sine(1000, rate), rate))
    assert len(audio.samples) == pytest.approx(RATE, abs=1)
    assert f"Resampled from {rate:,} to 16,000 Hz." in audio.notes
    wanted = sine(1000, seconds=len(audio.samples) / RATE)[1000:-1000]
    assert np.abs(audio.samples[1000:-1000] - wanted).max() < 2e-3


@pytest.mark.parametrize("hertz", [8_200, 9_000, 12_000, 15_000, 20_000])
def test_what_is_too_high_is_not_mirrored(hertz):
    lowered = resample(torch.from_numpy(sine(hertz, 48_000)), 48_000, RATE)
    assert lowered[1000:-1000].abs().max() < 1e-3 * 0.5


@pytest.mark.parametrize("hertz", [50, 500, 3_000, 6_500])
def test_what_can_be_kept_is_kept(hertz):
    lowered = resample(torch.from_numpy(sine(hertz, 48_000)), 48_000, RATE)
    assert level_at(lowered, hertz) == pytest.approx(0.5, rel=2e-3)


def test_raising_the_rate_adds_no_image():
    raised = resample(torch.from_numpy(sine(1_000, 8_000)), 8_000, RATE)
    assert level_at(raised, 7_000) < 1e-4
    assert level_at(raised, 1_000) == pytest.approx(0.5, rel=2e-3)


def test_stereo_is_mixed():
    both = np.stack([sine(440), sine(880)], axis=1)
    audio = read_audio(recording(both))
    assert "2 channels were mixed to one." in audio.notes
    assert level_at(audio.samples, 440) == pytest.approx(0.25, abs=0.01)


def test_loud_recordings_are_noted():
    audio = read_audio(recording(np.clip(sine(440, level=3), -1, 1)))
    assert any("too loud" in note for note in audio.notes)
    assert np.abs(audio.samples).max() <= 1


def test_numbers_out_of_range_are_brought_back():
    wild = sine(440, level=0.5)
    wild[100], wild[200], wild[300] = np.nan, np.inf, 1e30
    audio = read_audio(recording(wild, subtype="FLOAT"))
    assert np.isfinite(audio.samples).all()
    assert np.abs(audio.samples).max() <= 1


def test_long_recordings_are_cut_and_not_held():
    long = recording(np.tile(sine(440, 8_000, 10), 60), 8_000)
    tracemalloc.start()
    audio = read_audio(long, limit=30)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert audio.seconds == 30
    assert "Only the first 30 seconds were read." in audio.notes
    assert peak < 10e6
    assert read_audio(long, limit=2).seconds == 2
    assert read_audio(long).seconds == 600


@pytest.mark.parametrize("rate", [8_000, 44_100, 44_099, 48_000])
def test_parts_are_resampled_without_a_seam(monkeypatch, rate):
    noise = 0.1 * np.random.default_rng(0).normal(size=3 * rate + 17).astype("f4")
    whole = resample(torch.from_numpy(noise), rate, RATE).numpy()
    monkeypatch.setattr("seq2seq.data.audio.PART", 10_000)
    assert np.array_equal(read_audio(recording(noise, rate, subtype="FLOAT")).samples, whole)


@pytest.mark.parametrize("form", ["FLAC", "MP3"])
def test_no_more_than_is_heard_is_held_at_the_rate_of_the_file(monkeypatch, form):
    monkeypatch.setattr("seq2seq.data.audio.PART", 20_000)
    rate = 48_000
    large = recording(np.full((30 * rate, 2), 0.01, "f4"), rate, form)
    tracemalloc.start()
    read = read_audio(large)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read.seconds == pytest.approx(30, abs=0.1)
    assert peak < 2.5 * read.samples.nbytes  # the parts, and what they are joined to


def test_samples_are_limited_at_any_rate(monkeypatch):
    monkeypatch.setattr("seq2seq.data.audio.MAX_SAMPLES", 24_000)
    read = read_audio(recording(sine(440, 48_000), 48_000))
    assert read.seconds == 0.5
    assert "Only the first 0.5 seconds were read." in read.notes


def test_exactly_the_limit_is_not_called_cut():
    assert read_audio(recording(sine(440, seconds=2)), limit=2).notes == ()


@pytest.mark.parametrize("form", ["WAV", "FLAC", "MP3", "OGG"])
def test_the_part_before_the_end_of_a_truncated_file_is_read(form):
    noise = np.random.default_rng(0).normal(size=5 * RATE).astype("f4") * 0.1
    whole = recording(noise, form=form)
    audio = read_audio(whole[: len(whole) // 2])
    assert 1 < audio.seconds < 4


WAV = recording(sine(440))


def patched(offset, form, value):
    data = bytearray(WAV)
    struct.pack_into(form, data, offset, value)
    return bytes(data)


def test_a_length_that_is_not_there_is_not_believed():
    assert read_audio(patched(40, "<I", 0xFFFFFFF0)).seconds == pytest.approx(1)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "is empty: choose"),
        (b"Hello, this is a text and no sound.", "cannot be read"),
        (b"RIFF", "cannot be read"),
        (WAV[:44], "shorter"),
        (recording(sine(440, seconds=0.05)), "shorter"),
        (recording(np.zeros(RATE, "f4")), "silent"),
        (patched(22, "<H", 60_000), "cannot be read|claims"),
        (patched(22, "<H", 0), "cannot be read|claims"),
        (patched(24, "<I", 0), "cannot be read|claims"),
        (patched(24, "<I", 4_000_000_000), "cannot be read|claims"),
        (recording(sine(440), form="AIFF"), "format AIFF"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(data, expected):
    with pytest.raises(UserError, match=expected) as caught:
        read_audio(data, "speech.wav")
    message = str(caught.value)
    assert message.startswith("speech.wav")
    assert message.endswith(".")
    assert ": " in message


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no file hello\.wav"):
        read_audio(tmp_path / "hello.wav")


def test_random_damage_never_raises_anything_else():
    random = np.random.default_rng(0)
    for form in ("WAV", "FLAC", "OGG", "MP3"):
        whole = np.frombuffer(recording(sine(440), form=form), np.uint8)
        for _ in range(25):
            data = whole.copy()
            data[random.integers(0, len(data), 8)] = random.integers(0, 256, 8)
            data[random.integers(0, 60, 2)] = random.integers(0, 256, 2)
            try:
                audio = read_audio(data.tobytes())
            except UserError:
                continue
            assert np.isfinite(audio.samples).all()


@pytest.mark.parametrize("bins", [80, 128])
def test_features_are_those_of_whisper(bins):
    from transformers import WhisperFeatureExtractor

    random = np.random.default_rng(0)
    samples = (sine(300, seconds=3) + 0.1 * random.normal(size=3 * RATE)).astype("f4")
    referee = WhisperFeatureExtractor(feature_size=bins)
    theirs = referee(samples, sampling_rate=RATE, return_tensors="pt").input_features[0].T
    ours = log_mel(samples, bins, pad_to=30)
    assert ours.shape == (3000, bins)
    assert (ours - theirs).abs().max() < 1e-4


def test_long_sound_is_cut_to_the_window():
    assert torch.equal(log_mel(sine(300, seconds=3), pad_to=1), log_mel(sine(300), pad_to=1))


@pytest.mark.parametrize("samples", [1_600, 1_601, 16_159])
def test_one_frame_for_each_hop(samples):
    random = np.random.default_rng(0)
    frames = log_mel(random.normal(size=samples).astype("f4"), bins=40, level="mean")
    assert frames.shape == (samples // HOP, 40)
    assert float(frames.mean()) == pytest.approx(0, abs=1e-5)
    assert float(frames.std(correction=0)) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("level", ["mean", "peak"])
def test_silence_around_speech_stays_below_it(level):
    draw = np.random.default_rng(0)
    speech, hush = draw.normal(size=RATE // 2), 0.003 * draw.normal(size=RATE)
    frames = log_mel(np.concatenate([hush, speech, hush]).astype("f4"), level=level)
    quiet, loud = frames[:95].mean(), frames[105:145].mean()
    assert loud - quiet > 1.5


def test_quiet_around_a_word_is_zero_and_leaves_the_word_as_it_is():
    word = np.random.default_rng(0).normal(size=RATE // 2).astype("f4")
    hush = np.zeros(RATE // 2, "f4")
    alone = log_mel(word, level="peak")
    around = log_mel(np.concatenate([hush, word, hush]), level="peak")
    assert not around[:48].any()
    assert not around[102:].any()
    assert torch.allclose(around[53:97], alone[3:-3], atol=0.05)
    assert (float(alone.min()), float(alone.max())) == (pytest.approx(1, abs=1), 3)


@pytest.mark.parametrize("level", ["mean", "peak"])
def test_loudness_does_not_matter_when_normalised(level):
    speech = np.random.default_rng(0).normal(size=RATE).astype("f4") * sine(3)
    loud, quiet = (log_mel(volume * speech, level=level) for volume in (1.0, 0.01))
    assert torch.allclose(loud, quiet, atol=1e-3)


def test_silence_is_put_where_a_recording_begins_or_ends_with_sound():
    word, hush = sine(300), np.zeros(RATE // 4, "f4")
    count = len(word)
    for before, after in ((hush, hush), (hush, hush[:0]), (hush[:0], hush), (hush[:0], hush[:0])):
        samples = np.concatenate([before, word, after])
        framed = with_quiet(samples, 0.25)
        assert len(framed) == count + 2 * len(hush)
        assert not framed[: len(hush)].any()
        assert not framed[-len(hush) :].any()
        assert np.array_equal(framed[len(hush) : -len(hush)], word)
        assert np.array_equal(with_quiet(samples, 0), samples)
    faint = np.concatenate([0.002 * np.ones(RATE // 4, "f4"), word, hush])
    assert np.array_equal(with_quiet(faint, 0.25), faint)


def test_too_little_sound_is_refused():
    with pytest.raises(UserError, match="too short"):
        log_mel(np.zeros(100, "f4"))
