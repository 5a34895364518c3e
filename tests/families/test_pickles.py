"""Files of weights whose few bytes ask for all memory, or for an answer that never comes."""

import pickle
import struct
import zipfile

import pytest
import torch

from seq2seq.errors import UserError
from seq2seq.families import pickles
from seq2seq.families.weights import Weights, separate_matrices

BIN = "pytorch_model.bin"
DICT, TUPLE, STOP = b"}", b"\x85", b"."
NAME = b"X\x01\0\0\0a"
BYTEARRAY = b"cbuiltins\nbytearray\n\x8a\x05" + struct.pack("<Q", 25 * 10**9)[:5] + b"\x85R"
ORDERED = b"ccollections\nOrderedDict\n)R"
# A storage by its type, its key, its place and how many numbers it holds, then a shape of it.
STORAGE = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0kX\x03\0\0\0cpuK\x01NtQ"
HUGE = b"\x8a\x06" + struct.pack("<Q", 2**40)[:6]
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n("


def tensor(storage=STORAGE, size=b"K\x01", stride=b"K\x01"):
    return REBUILD + storage + b"K\0" + size + b"\x85" + stride + b"\x85\x89" + ORDERED + b"tR"


def write(folder, ops, archive):
    """Write a pickle as torch's archives hold it, or as its older files begin with it."""
    if archive:
        with zipfile.ZipFile(folder / BIN, "w") as file:
            # Of the older kind, a storage has one more field.
            file.writestr("archive/data.pkl", b"\x80\x02" + ops.replace(b"K\x01NtQ", b"K\x01tQ"))
            file.writestr("archive/version", b"3\n")
            file.writestr("archive/data/k", b"\0" * 4)
        return
    magic, version = (pickle.dumps(n, protocol=2) for n in (0x1950A86A20F9469CFC6C, 1001))
    numbers = b"]X\x01\0\0\0ka." + struct.pack("<qf", 1, 0.5)
    (folder / BIN).write_bytes(magic + version + b"}." + b"\x80\x02" + ops + numbers)


def opened(folder):
    return Weights(folder, None).shapes


BOMBS = {
    "memory of any size": BYTEARRAY,
    "the same in a dictionary": DICT + NAME + BYTEARRAY + b"s",
    "a name deep in itself": DICT + b")" + TUPLE * 600_000 + b"Ns",
    "a name that doubles": DICT + b"N" + b"".join(b"\x85q\0h\0\x86" for _ in range(60)) + b"Ns",
    "a list that doubles, called": b"N" + b"".join(b"](q\0h\0e" for _ in range(60)) + b")R",
    "a list that doubles": b"]q\0" + b"".join(b"](h%bh%be" % (b"\0", b"\0") for _ in range(3)),
    "another function": b"ctorch\ntensor\n]\x85R",
    "memory of a storage": b"ctorch.storage\nUntypedStorage\n" + HUGE + b"\x85R",
    "a tensor changed later": DICT + NAME + tensor() + b"(" + STORAGE + b"K\0))tbs",
    "a module": b"(X\x06\0\0\0module]NNNNtQ",
}
LIES = {
    "one number for many": DICT + NAME + tensor(size=HUGE, stride=b"K\0") + b"s",
    "more numbers than there are": DICT + NAME + tensor(size=HUGE) + b"s",
    "beyond the last number": DICT + NAME + tensor().replace(b"QK\0", b"QK\x01") + b"s",
    "a storage of any size": DICT
    + NAME
    + tensor(STORAGE.replace(b"K\x01NtQ", HUGE + b"NtQ"))
    + b"s",
    "nothing": b"",
    "an empty stack": b"\x85",
}


@pytest.mark.parametrize("archive", [True, False])
@pytest.mark.parametrize("what", [*BOMBS, *LIES])
def test_a_pickle_that_asks_for_more_than_weights_is_not_followed(tmp_path, what, archive):
    write(tmp_path, (BOMBS | LIES)[what] + STOP, archive)
    said = "holds more than weights, so" if what in BOMBS else "is damaged or of another"
    with pytest.raises(UserError, match=rf"^The {BIN} {said}"):
        opened(tmp_path)


def test_a_pickle_alone_is_not_followed_either(tmp_path):
    (tmp_path / BIN).write_bytes(b"\x80\x02" + BYTEARRAY + STOP)
    with pytest.raises(UserError, match="holds more than weights"):
        opened(tmp_path)


@pytest.mark.parametrize("archive", [True, False])
def test_a_pickle_of_that_kind_is_read_where_it_tells_the_truth(tmp_path, archive):
    content = ORDERED + NAME + tensor() + b"s}X\x05\0\0\0itemsNsb"
    write(tmp_path, content + STOP, archive)
    assert opened(tmp_path) == {"a": (1,)}


@pytest.mark.parametrize("archive", [True, False])
def test_a_long_pickle_is_not_followed(tmp_path, monkeypatch, archive):
    write(tmp_path, b"]" * 5_000 + STOP, archive)
    monkeypatch.setattr(pickles, "LARGEST", 4_000)
    with pytest.raises(UserError, match="damaged" if not archive else "holds more"):
        opened(tmp_path)


def test_an_archive_of_endless_files_is_not_opened(tmp_path, monkeypatch):
    write(tmp_path, DICT + STOP, True)
    with zipfile.ZipFile(tmp_path / BIN, "a") as file:
        for number in range(100):
            file.writestr(f"archive/{number}", b"")
    monkeypatch.setattr(pickles, "LARGEST", 4_000)
    with pytest.raises(UserError, match="holds more than weights"):
        opened(tmp_path)


@pytest.mark.parametrize("archive", [True, False])
def test_a_number_that_fills_a_matrix_is_not_compared_with_another(tmp_path, archive):
    names = ("shared.weight", "lm_head.weight")
    whole = {name: torch.zeros(1).expand(2**20, 2**20) for name in names}
    torch.save(whole, tmp_path / BIN, _use_new_zipfile_serialization=archive)
    with pytest.raises(UserError, match="is damaged"):
        separate_matrices(tmp_path, "t5")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("archive", [True, False])
def test_what_torch_saves_of_a_model_is_read(tmp_path, archive, dtype):
    model = torch.nn.TransformerEncoderLayer(8, 2, 8)
    model.tokens, model.output = torch.nn.Embedding(5, 8), torch.nn.Linear(8, 5)
    model.output.weight = model.tokens.weight
    buffers = {
        "view": torch.zeros(10, 10).T[2:5],
        "row": torch.arange(9).expand(1, -1),
        "number": torch.tensor(3),
        "none": torch.zeros(0, 4),
        "mask": torch.ones(3, dtype=torch.bool),
    }
    for name, buffer in buffers.items():
        model.register_buffer(name, buffer)
    model = model.to(dtype)
    for saved in (model.state_dict(), dict(model.named_parameters())):
        torch.save(saved, tmp_path / BIN, _use_new_zipfile_serialization=archive)
        weights = Weights(tmp_path, None)
        assert weights.shapes == {name: tuple(tensor.shape) for name, tensor in saved.items()}
        assert all(torch.equal(weights.read(name), tensor) for name, tensor in saved.items())
