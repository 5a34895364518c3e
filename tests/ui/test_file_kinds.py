import io
import tarfile
import zipfile

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save

from ui.runtime.file_kinds import HEAD, unlike_a_model


def recording(kind):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(800), 8000, format=kind)
    return file.getvalue()


def archive(kind):
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as made:
            made.writestr("config.json", "{}")
    else:
        with tarfile.open(fileobj=file, mode=kind) as made:
            made.addfile(tarfile.TarInfo("config.json"))
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.wav", recording("WAV"), "Speech to text"),
        ("a.flac", recording("FLAC"), "Speech to text"),
        ("a.ogg", recording("OGG"), "Speech to text"),
        ("model.zip", archive("zip"), "unpack it"),
        ("model.tar", archive("w"), "unpack it"),
        ("model.tar.gz", archive("w:gz"), "unpack it"),
        ("model.tar.xz", archive("w:xz"), "unpack it"),
        ("story.txt", b"Once upon a time", "is a text"),
        ("paper.pdf", b"%PDF-1.7", "is a PDF"),
        ("cat.png", b"\x89PNG\r\n", "is a picture"),
        ("vocab.txt", b"the\nof\n", ""),
        ("model.safetensors", save({"a": torch.zeros(1)}), ""),
        ("tokenizer.model", b"\n\x0e\n\x05<pad>", ""),
        ("empty", b"", ""),
    ],
    # The bytes of an archive hold the time it was made: workers would not agree on their names.
    ids=lambda value: value if isinstance(value, str) else "content",
)
def test_a_file_that_is_no_model_is_named(name, content, said):
    found = unlike_a_model(name, content[:HEAD])
    assert said in found
    assert bool(found) == bool(said)
    assert not found or found.startswith(name)


def test_weights_that_torch_has_zipped_are_no_archive():
    file = io.BytesIO()
    torch.save({"a": torch.zeros(1)}, file)
    assert unlike_a_model("pytorch_model.bin", file.getvalue()[:HEAD]) == ""
