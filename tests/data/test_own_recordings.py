"""Archives of recordings that a visitor brings: what is in them, and what they must not cost."""

import gzip
import io
import struct
import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest
import soundfile

from seq2seq.data import own_recordings, speech_archive
from seq2seq.data.audio import RATE
from seq2seq.data.own_recordings import is_archive, list_recordings, read_recordings
from seq2seq.data.speech_corpus import read_speech
from seq2seq.errors import UserError


def sound(seconds=0.2, format="FLAC"):
    file = io.BytesIO()
    time = np.arange(int(seconds * RATE)) / RATE
    soundfile.write(file, 0.5 * np.sin(2 * np.pi * 440 * time), RATE, format=format)
    return file.getvalue()


def tar(files, mode="w"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def zipped(files, kind=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


TABLE = "id\ttext\na.flac\tone two\nb\tthree\n"
FILES = {"my/manifest.tsv": TABLE.encode(), "my/b.wav": sound(0.3, "WAV"), "my/a.flac": sound()}
PACKED = {
    "tar": tar(FILES),
    "tgz": tar(FILES, "w:gz"),
    "zip": zipped(FILES),
    "stored": zipped(FILES, zipfile.ZIP_STORED),
}


@pytest.mark.parametrize("kind", PACKED)
def test_recordings_come_with_their_lines(kind, tmp_path):
    content = PACKED[kind]
    assert is_archive(content)
    rows, problems = list_recordings(content, "mine")
    assert [(row.line, row.name, row.text) for row in rows] == [
        (2, "a", "one two"),
        (3, "b", "three"),
    ]
    assert problems == []
    found, problems = read_recordings(content, "mine", rows)
    assert [(line, each.text, len(each.samples)) for line, each in found] == [
        (2, "one two", 3_200),
        (3, "three", 4_800),
    ]
    assert problems == []
    # The command evaluate reads the same.
    path = tmp_path / f"mine.{kind}"
    path.write_bytes(content)
    for (_, ours), theirs in zip(found, read_speech(path, "valid"), strict=True):
        assert (ours.name, ours.text) == (theirs.name, theirs.text)
        np.testing.assert_array_equal(ours.samples, theirs.samples)


def test_a_table_of_pairs_is_no_archive():
    assert not is_archive(b"The cat.\tLe chat.\n")
    assert not is_archive(b"")


def test_bad_lines_are_named_by_number(monkeypatch):
    monkeypatch.setattr(own_recordings, "MAX_SECONDS_EACH", 0.25)
    table = (
        "id\tsplit\ttext\n"
        "a\tvalid\tone\n"
        "a\ttrain\tnot asked for\n"
        "missing\tvalid\ttwo\n"
        "b\tvalid\t\n"
        "\n"
        "\tvalid\tthree\n"
        "broken\tvalid\tfour\n"
        "b\t\tlong\n"
    )
    content = tar({**FILES, "my/manifest.tsv": table.encode(), "my/broken.flac": b"no sound"})
    rows, problems = list_recordings(content, "mine.tar")
    assert [row.line for row in rows] == [2, 8, 9]
    assert problems == [
        "Line 5 has no text.",
        "Line 7 has no recording.",
        "Line 4 names missing, which is not in the archive.",
    ]
    found, problems = read_recordings(content, "mine.tar", rows)
    assert [line for line, _ in found] == [2]
    assert problems == [
        "Line 9 is longer than 0 seconds.",
        "Line 8: broken in mine.tar cannot be read: give WAV, FLAC, OGG or MP3.",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\3\4 is no zip", "cannot be read: give a tar or zip archive"),
        (b"\x1f\x8b nor gzip", "cannot be read: give a tar or zip archive"),
        (PACKED["zip"][:-200], "cannot be read: give a tar or zip archive"),
        (tar({"a.flac": b""}), "has no manifest.tsv"),
        (tar({"manifest.tsv": b"id\twords\na\tb\n"}), "has no column 'text': add it"),
        (tar({"manifest.tsv": b"id\ttext\na\t\n"}), "no recordings: .* Line 2 has no text"),
        (tar({"manifest.tsv": b"id\ttext\n" + b"a" * 200_000}), "is damaged: write it again"),
        (tar({"manifest.tsv": b"id\ttext\n" + b"\n" * 20_000}), "more than 20,000 lines: split it"),
        (tar({"../a.flac": b""}), "holds a path outside itself"),
        (zipped({"/a.flac": b""}), "holds a path outside itself"),
        (zipped(FILES, zipfile.ZIP_LZMA), "is damaged: pack it again"),
    ],
)
def test_what_holds_no_recordings_is_refused(content, said):
    with pytest.raises(UserError, match=said):
        list_recordings(content, "mine")


def test_what_macos_adds_is_passed_over():
    content = zipped({**FILES, "__MACOSX/my/._a.flac": b"\0\5\x16\7", "my/.DS_Store": b""})
    assert len(list_recordings(content, "mine")[0]) == 2


def test_there_are_limits(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(own_recordings, "MAX_RECORDINGS", 1)
        with pytest.raises(UserError, match="There are 2 recordings: give at most 1"):
            list_recordings(PACKED["tar"], "mine")
    rows, _ = list_recordings(PACKED["tar"], "mine")
    with monkeypatch.context() as patch:
        patch.setattr(own_recordings, "MAX_SECONDS", 0.4)
        with pytest.raises(UserError, match="minutes of sound: split it"):
            read_recordings(PACKED["tar"], "mine", rows)
        patch.setattr(own_recordings, "MAX_SECONDS_EACH", 0.25)  # those passed over count, too
        with pytest.raises(UserError, match="minutes of sound: split it"):
            read_recordings(PACKED["tar"], "mine", rows)
    monkeypatch.setattr(own_recordings, "MAX_ARCHIVE_BYTES", 100)
    with pytest.raises(UserError, match="MB: split it"):
        list_recordings(PACKED["tar"], "mine")


def test_reading_can_be_ended_before_each_recording():
    rows, _ = list_recordings(PACKED["tar"], "mine")
    counts = []

    def end(count):
        counts.append(count)
        if len(counts) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        read_recordings(PACKED["tar"], "mine", rows, end)
    assert counts == [1, 1]


def memory_of(content):
    """Return the most memory that is taken until an archive is refused, and what is said."""
    tracemalloc.start()
    try:
        with pytest.raises(UserError) as raised:
            list_recordings(content, "mine")
        return tracemalloc.get_traced_memory()[1], str(raised.value)
    finally:
        tracemalloc.stop()


def claiming(size, kind=tarfile.REGTYPE):
    """A packed tar whose one member claims a size, and whose zeros go on beyond every limit."""
    member = tarfile.TarInfo("a.flac")
    member.size, member.type = size, kind
    return gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + bytes(3 * 2**20))


def zip_claiming(size):
    """A zip whose list claims another size of its member than there is."""
    content = zipped({"manifest.tsv": bytes(3 * 2**20)})
    real = struct.pack("<L", 3 * 2**20)
    return content.replace(real, struct.pack("<L", size))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (claiming(2**34), "too large: split it"),
        (claiming(2**20), "unpacks to more than 0 MB"),  # more than is allowed here
        (claiming(2**34, tarfile.GNUTYPE_LONGNAME), "unpacks to more than 0 MB"),
        (claiming(2**34, tarfile.XHDTYPE), "unpacks to more than 0 MB"),
        (zip_claiming(3 * 2**20), "unpacks to more than 0 MB"),
        (zip_claiming(100), "damaged|too large|not UTF-8|no column"),
        (zipped({f"{number}.wav": b"" for number in range(60)}), "more than 50 files"),
        (tar({f"{number}.wav": b"" for number in range(60)}), "more than 50 files"),
    ],
)
def test_what_claims_too_much_is_refused_before_memory_is_taken(monkeypatch, content, said):
    monkeypatch.setattr(speech_archive, "MOST_UNPACKED", 2**19)
    monkeypatch.setattr(speech_archive, "MOST_MEMBERS", 50)
    monkeypatch.setattr(speech_archive, "LARGEST", 2**24)
    taken, found = memory_of(content)
    assert any(part in found for part in said.split("|"))
    assert taken < 2**21, taken
