"""What synthetic voices are made to say, and that it is said."""

import random
import shutil
import wave

import pytest

from seq2seq.data.parallel_corpus import Pair
from seq2seq.data.speech_archive import Archive
from seq2seq.errors import UserError
from seq2seq.training import synthetic_speech
from seq2seq.training.synthetic_speech import draw_text, make_speech, spellable

WORDS = ["cat", "lamp"]


def test_words_that_can_be_spelled_come_once_and_in_order():
    words = ("lamp", "it's", "cat", "Bob", "cat", "of", "communication")
    assert spellable([Pair(word, "X") for word in words]) == ["cat", "lamp"]


def test_texts_are_of_all_kinds_in_small_letters():
    draw = random.Random(0)
    texts = [draw_text(WORDS, draw) for _ in range(500)]
    assert all(
        word.isascii() and word.isalpha() and word.islower() for word in " ".join(texts).split()
    )
    assert {"c a t", "l a m p", "yes", "seven"} <= set(texts)
    assert any(text.startswith("erase ") for text in texts)
    assert any(" nineteen " in text for text in texts)


def test_the_same_seed_gives_the_same_archive_and_every_row_has_its_sound(tmp_path, monkeypatch):
    said = []

    def program(command, **_):
        said.append(command)
        option = "-o" if command[0] == "flite" else "-w"
        with wave.open(command[command.index(option) + 1], "wb") as sound:
            sound.setparams((1, 2, 16_000, 0, "NONE", ""))
            sound.writeframes(bytes(320))

    monkeypatch.setattr(synthetic_speech.subprocess, "run", program)
    monkeypatch.setattr(synthetic_speech.shutil, "which", lambda name: name)
    contents = []
    for name in ("one.tar", "two.tar"):
        make_speech(tmp_path / name, WORDS, 12)
        with (tmp_path / name).open("rb") as file:
            archive = Archive(file, name)
            rows, problems = archive.rows()
            contents.append(rows)
            assert not problems
            assert all(archive.read(row.name)[:4] == b"RIFF" for row in rows)
    assert contents[0] == contents[1]
    assert len(contents[0]) == 12
    assert {command[0] for command in said} == {"flite", "espeak-ng"}


def test_a_synthesizer_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UserError, match="install the package flite"):
        make_speech(tmp_path / "voices.tar", WORDS, 1)
