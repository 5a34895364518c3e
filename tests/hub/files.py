"""The files of a model on the Hub, and what has been fetched of them."""

import os

SOON = 0.5  # seconds of patience where the answer never comes
WEIGHTS = os.urandom(300_000)
SMALL = {
    "config.json": b'{"model_type": "marian"}',
    "source.spm": b"pieces of the source",
    "vocab.json": b"{}",
    "README.md": b"# A model",
}
FILES = SMALL | {
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"pickle",
    "tf_model.h5": b"other",
    "onnx/model.onnx": b"more",
    ".gitattributes": b"",
    "training_args.bin": b"pickle",
}
BIN = SMALL | {"pytorch_model.bin": b"pickle of weights"}


def contents(fetched):
    return {path.name: path.read_bytes() for path in fetched.folder.iterdir() if path.is_file()}
