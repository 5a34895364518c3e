"""Recordings that synthetic voices say: letters, digits, numbers, dates and commands.

Two free speech synthesizers are called as programs: flite (Black and Lenzo 2001), whose voices are
made from recordings of people, and eSpeak NG, which computes formants, so that throats of any
length can be had of it. Pitch and pace are drawn for each recording.
"""

from __future__ import annotations

import io
import random
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from string import ascii_lowercase

from seq2seq.data.number_words import english, english_ordinal
from seq2seq.data.parallel_corpus import Pair
from seq2seq.data.speech_archive import MANIFEST
from seq2seq.data.written_dates import MONTHS
from seq2seq.errors import UserError

DIGITS = tuple(english(digit) for digit in range(10))
COMMANDS = ("yes", "no", "go", "help", "start", "stop", "repeat")
EDITS = ("enter", "erase", "rubout")
# How a synthesizer is made to say what it would say otherwise: "a" as the letter's name.
SPOKEN_AS = {"a": "ay", "z": "zee", "rubout": "rub out"}
# Mean pitches in Hz of a man's and a woman's voice, by the voice.
FLITE = {"kal16": 105, "awb": 120, "rms": 105, "slt": 175}
ACCENTS = ("en-us", "en-us", "en-us", "en-gb", "en-us-nyc", "en-gb-scotland", "en-gb-x-rp")
VARIANTS = (
    *(f"m{number}" for number in range(1, 9)),
    *(f"f{number}" for number in range(1, 6)),
    *("klatt2", "klatt4", "Andy", "Annie", "Alex", "Alicia", "steph", "grandma", "grandpa"),
    *("john", "linda", "Michael", "rob", "travis", "shelby"),
)


def make_speech(path: Path, words: list[str], count: int, seed: int = 1) -> None:
    """Write an archive of so many recordings, to be trained on, with their manifest.

    words: that may be spelled. The same arguments give the same texts and voices. Raises UserError
    if a synthesizer is not installed.
    """
    for program in ("flite", "espeak-ng"):
        if shutil.which(program) is None:
            raise UserError(f"The voices of {program} are missing: install the package {program}.")
    draw = random.Random(seed)
    rows = ["id\tsplit\tspeaker\ttext"]
    with tempfile.TemporaryDirectory() as folder, tarfile.open(path, "w") as archive:
        sound = Path(folder) / "sound.wav"
        for number in range(count):
            text = draw_text(words, draw)
            speaker = _speak(text, sound, draw)
            rows.append(f"v{number}\ttrain\t{speaker}\t{text}")
            _add(archive, f"v{number}.wav", sound.read_bytes())
        _add(archive, MANIFEST, ("\n".join(rows) + "\n").encode())


def spellable(pairs: Iterable[Pair]) -> list[str]:
    """Return the sources that are words of 3 to 9 small letters, each once, in order."""
    sources = {pair.source for pair in pairs}
    return sorted(word for word in sources if re.fullmatch("[a-z]{3,9}", word))


def draw_text(words: list[str], draw: random.Random) -> str:
    """Draw what is said: a digit, digits, letters, a spelled word, a command, a number, a date."""
    kinds: dict[Callable[[], str], float] = {
        lambda: draw.choice(DIGITS): 2,
        lambda: _digits(draw): 2,
        lambda: " ".join(draw.choices(ascii_lowercase, k=draw.randint(1, 6))): 2,
        lambda: " ".join(draw.choice(words)): 3,
        lambda: draw.choice(COMMANDS): 0.6,
        lambda: _edit(draw): 2,
        lambda: _number(draw): 1.5,
        lambda: _date(draw): 1,
    }
    return draw.choices([*kinds], [*kinds.values()])[0]()


def _digits(draw: random.Random) -> str:
    zero = draw.choice(("zero", "oh"))
    digits = draw.choices(DIGITS, k=draw.randint(2, 7))
    return " ".join(zero if digit == "zero" else digit for digit in digits)


def _edit(draw: random.Random) -> str:
    letters = draw.choices(ascii_lowercase, k=draw.randint(0, 5))
    return " ".join([draw.choice(EDITS), *letters, _number(draw)])


def _number(draw: random.Random) -> str:
    """Draw a number as people say it: "two eighty nine" beside "two hundred eighty nine"."""
    number = draw.choice((draw.randint(0, 99), draw.randint(100, 999)))
    tens = number % 100
    if number >= 100 and tens >= 10 and draw.random() < 0.6:
        return f"{english(number // 100)} {_plain(tens)}"
    return _plain(number)


def _date(draw: random.Random) -> str:
    month, day = draw.choice(MONTHS).lower(), draw.randint(1, 31)
    said = english_ordinal(day).replace("-", " ") if draw.random() < 0.7 else _plain(day)
    return f"{month} {said} nineteen {_plain(draw.randint(10, 99))}"


def _plain(number: int) -> str:
    return english(number).replace("-", " ").replace(" and ", " ")


def _speak(text: str, sound: Path, draw: random.Random) -> str:
    """Have a text said by a voice that is drawn; returns the voice's name."""
    said = " ".join(SPOKEN_AS.get(word, word) for word in text.split())
    if draw.random() < 0.45:
        voice = draw.choice([*FLITE])
        pitch, pace = FLITE[voice] * draw.uniform(0.8, 1.3), draw.uniform(0.75, 1.35)
        settings = [f"int_f0_target_mean={pitch:.0f}", f"duration_stretch={pace:.2f}"]
        options = [part for setting in settings for part in ("--setf", setting)]
        command = ["flite", "-voice", voice, *options, "-t", said, "-o", str(sound)]
    else:
        voice = f"{draw.choice(ACCENTS)}+{draw.choice(VARIANTS)}"
        pitch, pace = draw.randint(15, 85), draw.randint(95, 190)
        gap = draw.choice((0, 0, 1, 3, 6))
        options = ["-p", str(pitch), "-s", str(pace), "-g", str(gap)]
        command = ["espeak-ng", "-v", voice, *options, "-w", str(sound), said]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except subprocess.CalledProcessError:
        raise UserError(f"{command[0]} could not speak with its voice {voice}: renew it.") from None
    return voice


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
