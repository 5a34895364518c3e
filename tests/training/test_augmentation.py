"""What may change in a recording, and what may not."""

import random
from collections import Counter

import numpy as np
import pytest
import torch

from seq2seq.data.audio import NO_ENERGY, RATE, log_energy, log_mel, standardise
from seq2seq.training.augmentation import (
    add_noise,
    at_speed,
    in_strings,
    lengthen,
    mask,
    narrow,
    reverberate,
    surround,
    vary,
    warp,
)
from seq2seq.training.recipe import AugmentationSettings

NOTHING = AugmentationSettings()
ALL = AugmentationSettings(
    warp=0.1,
    narrow=0.3,
    noise=0.5,
    room=0.5,
    time_masks=1.0,
    time_width=10,
    bin_masks=2,
    bin_width=8,
)


def tone(hertz, seconds=1.0):
    return np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE).astype("f4")


def loudest(mel):
    return int(mel.mean(dim=0).argmax())


@pytest.fixture
def mel():
    random = np.random.default_rng(0)
    speech = tone(500) * tone(3) + 0.01 * random.normal(size=RATE).astype("f4")
    return log_energy(torch.from_numpy(speech), 40)


def test_nothing_asked_for_is_nothing_changed():
    samples = tone(440)
    features = vary(at_speed(samples, 1.0, 40), NOTHING, random.Random(0))
    assert torch.allclose(features, log_mel(samples, 40, level="mean"), atol=1e-5)


def test_the_same_draw_gives_the_same_features(mel):
    one, same, other = (vary(mel, ALL, random.Random(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.isfinite(one).all()


def test_speed_changes_length_and_pitch():
    slow, fast = (at_speed(tone(1000), speed, 80) for speed in (0.8, 1.25))
    assert len(slow) == 125
    assert len(fast) == 80
    assert loudest(slow) == loudest(at_speed(tone(800, 1.25), 1.0, 80))
    assert loudest(fast) == loudest(at_speed(tone(1250, 0.8), 1.0, 80))


def test_warping_moves_bands_and_keeps_time(mel):
    assert torch.equal(warp(mel, 1.0), mel)
    assert loudest(warp(mel, 0.8)) > loudest(mel) > loudest(warp(mel, 1.25))
    assert warp(mel, 1.1).shape == mel.shape


def test_a_telephone_loses_the_upper_half():
    low, high = (narrow(log_energy(torch.from_numpy(tone(hertz)), 80)) for hertz in (500, 6000))
    assert low[5:-5].max() > 2
    assert high[5:-5].max() < 0


@pytest.mark.parametrize("decibels", [0, 10, 30])
def test_noise_has_the_level_asked_for(mel, decibels):
    noisy = add_noise(mel, decibels, random.Random(3))
    assert (noisy >= mel).all()
    added = (10**noisy - 10**mel).amax(dim=1).mean()
    wanted = (10**mel).mean() * 10 ** (-decibels / 10)
    # The slope takes from all bands but the loudest, where the maximum is.
    assert wanted < added < 10 * wanted


def test_a_room_keeps_on_sounding_and_falls_by_sixty_decibels_in_its_time():
    click = torch.full((60, 4), -12.0)
    click[10] = 0.0
    heard = reverberate(click, seconds=0.3, late=0.5)
    assert (heard[:10] < -11.5).all()
    falls = heard[11:40, 0].diff()
    assert torch.allclose(falls, torch.full_like(falls, -0.2), atol=1e-2)  # 6 in 30 frames
    added = (10**heard - 10**click)[:, 0].sum()
    assert added == pytest.approx(0.5, rel=1e-2)


def test_a_background_surrounds_the_sound_and_lies_under_all_of_it(mel):
    settings = AugmentationSettings(silence=50, background=1.0, background_decibels=(20, 20))
    surrounded = surround(mel, settings.silence, random.Random(0))
    places = [at for at in range(51) if torch.equal(surrounded[at : at + len(mel)], mel)]
    assert len(places) == 1
    assert len(mel) < len(surrounded) <= len(mel) + 2 * settings.silence
    assert (surrounded[: places[0]] == NO_ENERGY).all()
    noisy = add_noise(surrounded, 20, random.Random(0))
    assert (noisy[: places[0]] > NO_ENERGY).all()
    longer = [len(vary(mel, settings, random.Random(seed))) - len(mel) for seed in range(20)]
    assert min(longer) >= 0
    assert max(longer) > settings.silence


def test_masks_blot_out_spans_and_nothing_else(mel):
    features = standardise(mel)
    changed = mask(features, ALL, random.Random(4)) != features
    blotted = mask(features, ALL, random.Random(4))[changed]
    assert 0 < changed.float().mean() < 0.6
    assert not blotted.any()


def test_masks_fit_even_where_there_is_little(mel):
    for frames in (1, 2, 5):
        assert mask(standardise(mel)[:frames], ALL, random.Random(0)).shape == (frames, 40)


def test_gaps_are_quiet_and_the_sound_stays_whole(mel):
    longer = lengthen(mel, 130, random.Random(0))
    assert len(longer) == 130
    places = [place for place in range(31) if torch.equal(longer[place : place + 100], mel)]
    assert len(places) == 1
    quiet = torch.cat([longer[: places[0]], longer[places[0] + 100 :]]).mean(dim=1)
    assert quiet.max() <= mel.mean(dim=1).quantile(0.1)
    assert lengthen(mel, 50, random.Random(0)) is mel


def test_strings_hold_each_recording_once_and_one_speaker():
    speakers = [f"s{number % 3}" for number in range(200)]
    groups = in_strings(speakers, 5, random.Random(0))
    assert sorted(number for group in groups for number in group) == list(range(200))
    assert all(len({speakers[number] for number in group}) == 1 for group in groups)
    assert set(map(len, groups)) == {1, 2, 3, 4, 5}
    assert Counter(map(len, in_strings(speakers, 1, random.Random(0)))) == {1: 200}
