import gzip
import itertools
import lzma
from collections import Counter

import numpy as np
import pytest
import torch

from seq2seq.data.batching import Example, collate, in_groups, pad, plan_batches
from seq2seq.data.parallel_corpus import Pair, read_pairs
from seq2seq.data.tokenizer import BOS, EOS, PAD
from seq2seq.errors import UserError

LINES = "The cat\tLe chat\nA dog\tUn chien\n"
TWO = [Pair("The cat", "Le chat"), Pair("A dog", "Un chien")]


@pytest.fixture
def file(tmp_path):
    def write(text, name="pairs.tsv"):
        path = tmp_path / name
        data = text if isinstance(text, bytes) else text.encode()
        pack = {".xz": lzma.compress, ".gz": gzip.compress}.get(path.suffix, bytes)
        path.write_bytes(pack(data))
        return path

    return write


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.xz", "a.tsv.gz", "a.txt", "a"])
def test_plain_and_compressed_files(file, name):
    assert read_pairs(file(LINES, name)) == TWO


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("en\tfr\n" + LINES, (), TWO),
        ("source\ttarget\n" + LINES, (), TWO),
        ("target\tsource\n" + LINES, (), [Pair(b, a) for a, b in TWO]),
        ("word\tsource\ttarget\n1\tThe cat\tLe chat\n", (), TWO[:1]),
        ("id\ten\tfr\n1\tThe cat\tLe chat\n", ("en", "fr"), TWO[:1]),
        ("id\ten\tfr\n1\tThe cat\tLe chat\n", ("fr", "en"), [Pair("Le chat", "The cat")]),
        ("word\ten\tfr\n1\tThe cat\tLe chat\n", (), [Pair("1", "The cat")]),
        # Words that name no column: a first pair like any other.
        ("hello\tbonjour\n" + LINES, (), [Pair("hello", "bonjour"), *TWO]),
        ("Hello\tbonjour\n" + LINES, (), [Pair("Hello", "bonjour"), *TWO]),
        ("hello there\tbonjour\n" + LINES, (), [Pair("hello there", "bonjour"), *TWO]),
        ("The cat\tLe chat\textra\nA dog\tUn chien\n", (), TWO),
    ],
)
def test_a_header_tells_the_columns(file, text, columns, expected):
    assert read_pairs(file(text), columns) == expected


@pytest.mark.parametrize(
    "text",
    [
        LINES.replace("\n", "\r\n"),
        LINES.rstrip("\n"),
        "\n" + LINES + "\n\n",
        "no tab\n\tno source\nno target\t\n \t \n" + LINES,
        LINES.replace("The cat", "  The cat "),
    ],
)
def test_lines_that_are_no_pairs_are_left_out(file, text):
    assert read_pairs(file(text)) == TWO


def test_only_a_newline_ends_a_line(file):
    text = "one\u2028two\x0bthree\x85four\tun\r deux\n"
    assert read_pairs(file(text)) == [Pair("one\u2028two\x0bthree\x85four", "un\r deux")]


TALK = "before\tcontext\tresponse\tsource\n\tHi!\tHello.\ta\nHello.\tYou?\tFine.\tb\n"


def test_turns_are_joined_to_one_source(file):
    columns = ("before", "context", "response")
    expected = [Pair("Hi!", "Hello."), Pair("Hello.¶ You?", "Fine.")]
    assert read_pairs(file(TALK), columns, "¶") == expected
    assert read_pairs(file(TALK), separator="¶") == expected
    assert read_pairs(file(TALK)) == [Pair("Hi!", "Hello."), Pair("You?", "Fine.")]


def test_several_turns_may_stand_in_one_column(file):
    text = "before\tcontext\tresponse\nHi! ¶ Hello.\tYou?\tFine.\n"
    assert read_pairs(file(text), separator="¶") == [Pair("Hi!¶ Hello.¶ You?", "Fine.")]


@pytest.mark.parametrize("text", ["", "\n", "no tab\n", "en\tfr\n", "\t\n", "a b\t\n"])
def test_a_file_without_pairs_is_refused(file, text):
    with pytest.raises(UserError, match=r"pairs\.tsv holds no pairs"):
        read_pairs(file(text))


@pytest.mark.parametrize(
    ("text", "columns", "named"),
    [
        ("en\tfr\n" + LINES, ("en", "de"), "'de'.*en, fr"),
        ("en\tfr\n" + LINES, ("de", "fr"), "'de'"),
        (LINES, ("en", "fr"), "'en'"),
    ],
)
def test_a_missing_column_is_named(file, text, columns, named):
    with pytest.raises(UserError, match=rf"pairs\.tsv has no column {named}"):
        read_pairs(file(text), columns)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no file nowhere\.tsv"):
        read_pairs(tmp_path / "nowhere.tsv")


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.xz", "a.tsv.gz"])
def test_an_unreadable_file_is_named(tmp_path, name):
    path = tmp_path / name
    for content in (b"\xff\xfe\x00\x80\t\xff\n", lzma.compress(LINES.encode())[:-10] + b"\xff"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=f"{name} cannot be read"):
            read_pairs(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(UserError, match=name):
        read_pairs(path)


@pytest.mark.parametrize(("name", "pack"), [("a.gz", gzip.compress), ("a.xz", lzma.compress)])
def test_a_truncated_file_is_named(tmp_path, name, pack):
    whole = pack("\n".join(f"source {i}\ttarget {i * i}" for i in range(5_000)).encode())
    path = tmp_path / name
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=f"{name} cannot be read"):
        read_pairs(path)


def test_rows_are_padded_on_the_right():
    assert torch.equal(pad([[5, 6], [7], []]), torch.tensor([[5, 6], [7, PAD], [PAD, PAD]]))
    assert torch.equal(pad([[5], [6, 7]], value=9), torch.tensor([[5, 9], [6, 7]]))


def test_a_batch_has_start_and_end_tokens():
    batch = collate([Example([5, 6], [7]), Example([8, 9], [4, 5, 6])])
    assert batch.source.tolist() == [[5, 6, EOS], [8, 9, EOS]]
    assert batch.target.tolist() == [[BOS, 7, PAD, PAD], [BOS, 4, 5, 6]]
    assert batch.labels.tolist() == [[7, EOS, PAD, PAD], [4, 5, 6, EOS]]


@pytest.fixture
def examples():
    random = np.random.default_rng(0)
    lengths = random.integers(1, [12, 20], (500, 2))
    return [Example([4] * source, [5] * target) for source, target in lengths.tolist()]


@pytest.mark.parametrize("tokens", [1, 40, 200, 100_000])
def test_batches_hold_every_example_once(examples, tokens):
    counts = Counter(number for batch in plan_batches(examples, tokens, 3) for number in batch)
    assert counts == Counter(range(500))


@pytest.mark.parametrize("tokens", [40, 200])
def test_sources_of_a_batch_are_of_one_length_and_targets_within_the_bound(examples, tokens):
    sizes = []
    for batch in plan_batches(examples, tokens, 3):
        assert len({len(examples[number].source) for number in batch}) == 1
        longest = max(len(examples[number].target) + 1 for number in batch)
        assert len(batch) * longest <= tokens
        sizes.append(len(batch))
    assert max(sizes) > 1


@pytest.mark.parametrize("tokens", [40, 200])
def test_batches_are_as_full_as_they_can_be(examples, tokens):
    batches = plan_batches(examples, tokens, 3)
    for source in range(1, 12):
        mine = [batch for batch in batches if len(examples[batch[0]].source) == source]
        targets = [sorted(len(examples[i].target) + 1 for i in batch) for batch in mine]
        targets.sort(key=lambda lengths: (lengths[0], lengths[-1], -len(lengths)))
        # The next one would not have fitted.
        for batch, following in itertools.pairwise(targets):
            assert (len(batch) + 1) * max(batch[-1], following[0]) > tokens


def test_an_example_longer_than_the_bound_is_a_batch_of_its_own():
    long = [Example([4], [5] * 50), Example([4], [5] * 2), Example([4], [5] * 60)]
    assert sorted(map(sorted, plan_batches(long, 10, 0))) == [[0], [1], [2]]


def test_no_examples_are_no_batches():
    assert plan_batches([], 100, 0) == []


def test_a_seed_gives_one_order_and_another_seed_another(examples):
    first, again, other = (
        [batch.tolist() for batch in plan_batches(examples, 60, seed)] for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert sorted(map(sorted, first)) != sorted(map(sorted, other))


@pytest.mark.parametrize("size", [1, 3, 100])
def test_groups_hold_everything_once_by_length(size):
    lengths = [5, 1, 9, 1, 7, 3, 3, 8]
    groups = list(in_groups(lengths, size))
    numbers = [number for group in groups for number in group]
    assert sorted(numbers) == list(range(8))
    assert [lengths[number] for number in numbers] == sorted(lengths)
    assert all(len(group) == size for group in groups[:-1])
