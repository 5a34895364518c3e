"""Damaged, mismatching and hostile files of published tokenizers."""

import random
import shutil
from contextlib import suppress

import pytest

from seq2seq.errors import UserError
from seq2seq.families.tokenizers import read_tokenizer
from tests import vocabularies as made

FAMILIES = made.FAMILIES


@pytest.mark.parametrize("name", FAMILIES)
def test_a_model_may_have_more_tokens_than_its_tokenizer(altered, cases, name):
    size = len(cases(name).ours)
    values = {"vocab_size": size + 61, "decoder_vocab_size": size + 61}
    assert len(altered(name, values)) == size


def test_a_mask_beyond_the_model_is_left_out(altered, cases):
    size = len(cases("bart").ours) - 1
    tokenizer = altered("bart", {"vocab_size": size})
    assert len(tokenizer) == size
    assert max(tokenizer.special) < size
    assert max(tokenizer.encode("The <mask> is")) < size


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("part", [0.6, 2.5])
def test_files_of_different_models_are_refused(altered, cases, name, part):
    size = int(len(cases(name).ours) * part)
    if name.startswith("nllb") and part < 1:
        size = 100  # most of this little vocabulary is languages
    if name == "whisper" and part < 1:
        size = 400
    with pytest.raises(UserError, match=r"^The tokenizer .*: fetch both from one place\.$"):
        altered(name, {"vocab_size": size, "decoder_vocab_size": size})


def test_other_peoples_code_is_not_run(altered):
    for mapping in ({"AutoTokenizer": ["code.Mine", None]}, ["code.Mine", None]):
        with pytest.raises(UserError, match=r"its own code, which is not run here: choose"):
            altered("bart", settings={"auto_map": mapping})


def test_files_elsewhere_are_not_read(altered, cases, tmp_path):
    other = made.write(tmp_path / "other", vocab={"</s>": 0}, merges="")
    names = ("vocab_file", "merges_file", "tokenizer_file", "vocab", "name_or_path")
    settings = {name: str(other / "vocab.json") for name in names}
    assert altered("bart", settings=settings)._ids == cases("bart").ours._ids


DAMAGES = [
    ("vocab", None, "no tokenizer.json and no vocab.json"),
    ("merges", None, "no tokenizer.json and no vocab.json with merges.txt"),
    ("vocab", b"", "vocab.json is damaged"),
    ("vocab", b'{"a": 0, "caf\xe9": 1}', "vocab.json is damaged"),
    ("vocab", "[" * 100_000, "vocab.json is damaged"),
    ("vocab", '{"a":' * 100_000, "vocab.json is damaged"),
    ("vocab", [1, 2], "vocab.json is damaged"),
    ("vocab", {}, "vocab.json is damaged"),
    ("vocab", {"a": "b"}, "vocab.json is damaged"),
    ("vocab", {"a": True}, "vocab.json is damaged"),
    ("vocab", {"a": -1}, "vocab.json is damaged"),
    ("vocab", {"a": 10**12}, "vocab.json is damaged"),
    ("vocab", {"a": 0, "b": 0}, "vocab.json is damaged"),
    ("vocab", {"a": 0}, "lacks its eos token"),
    ("merges", b"\xff\xfe", "merges.txt is damaged"),
    ("merges", "#version: 0.2\na b c\n", "merges.txt is damaged"),
    ("merges", "#version: 0.2\nq zzz\n", "does not make a tokenizer"),
    ("settings", "null", "tokenizer_config.json is damaged"),
    ("settings", {"added_tokens_decoder": {"x": {"content": "a"}}}, "is damaged"),
    ("settings", {"added_tokens_decoder": {"3": {"content": "</s>"}}}, "disagree on '</s>'"),
    ("settings", {"added_tokens_decoder": {"2": {"content": "new"}}}, "disagree on 'new'"),
    ("special", "{", "special_tokens_map.json is damaged"),
    ("added", {"a": "b"}, "added_tokens.json is damaged"),
]


@pytest.mark.parametrize(("file", "content", "message"), DAMAGES)
def test_damage_is_named_in_one_sentence(altered, file, content, message):
    with pytest.raises(UserError, match=message) as found:
        altered("bart", **{file: content})
    assert str(found.value).endswith(".")
    assert str(found.value).count(". ") == 0


@pytest.mark.parametrize("name", ["t5", "marian", "mbart50", "nllb", "m2m100", "pegasus"])
@pytest.mark.parametrize("content", [None, b"", b"\xff" * 99, b'{"a": 1}', "text"])
def test_a_damaged_sentencepiece_model_is_the_users_problem(altered, name, content):
    file = {"marian": "target", "t5": "spiece", "pegasus": "spiece"}.get(name, "bpe")
    with pytest.raises(UserError, match=r"(damaged|has no .*): fetch"):
        altered(name, **{file: content})


def test_scores_that_are_no_numbers_are_damage(altered, cases):
    from sentencepiece import sentencepiece_model_pb2

    content = (cases("t5").folder / "spiece.model").read_bytes()
    model = sentencepiece_model_pb2.ModelProto.FromString(content)
    model.pieces[9].score = float("nan")
    with pytest.raises(UserError, match=r"spiece.model is damaged"):
        altered("t5", spiece=model.SerializeToString())


def test_the_newer_settings_go_before_the_older_map(altered):
    special = {"eos_token": {"content": "<pad>"}}
    newer = {"added_tokens_decoder": {"2": {"content": "</s>", "special": True}}}
    assert altered("bart", special=special, settings={}).around() == ((0,), (1,))
    assert altered("bart", special=special, settings=newer).around() == ((0,), (2,))


def changed(content, *path_and_value):
    *path, last, value = path_and_value
    inner = content
    for step in path:
        inner = inner[step]
    inner[last] = value
    return content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("model", None), "tokenizer.json is damaged"),
        (("model", "vocab", {"a": 1}), "is not of its family"),
        (("model", "vocab", []), "tokenizer.json is damaged"),
        (("model", "vocab", 5, ["a"]), "tokenizer.json is damaged"),
        (("model", "vocab", 5, ["a", None]), "tokenizer.json is damaged"),
        (("model", "vocab", 5, [7, 1.0]), "tokenizer.json is damaged"),
        (("added_tokens", 0, {"id": 0}), "tokenizer.json is damaged"),
        (("added_tokens", 0, {"id": -1, "content": "a"}), "tokenizer.json is damaged"),
        (("added_tokens", 1, {"id": 7, "content": "</s>"}), "disagree on '</s>'"),
        (("normalizer", {"type": "Precompiled", "precompiled_charsmap": "?"}), "is damaged"),
        (("normalizer", {"type": "Precompiled", "precompiled_charsmap": "AAAA"}), "does not make"),
    ],
)
def test_a_damaged_tokenizer_json_is_the_users_problem(altered, cases, change, message):
    with pytest.raises(UserError, match=message):
        altered("t5", serialized=changed(cases("t5", "saved").saved(), *change))


def test_a_tokenizer_json_of_another_family_is_run_as_it_stands(altered, cases):
    for name, other in (("t5", "bart"), ("bart", "t5")):
        ours = altered(name, serialized=cases(other, "saved").saved())
        for text in ("a  b\n", "The small cat doesn't sleep.", "hello"):
            assert ours.encode(text) == cases(other).expected(text)


def test_patterns_of_a_tokenizer_json_that_could_take_ages_are_refused(altered, cases):
    content = cases("t5", "saved").saved()
    step = {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": "a" * 1000}
    for place in ("normalizer", "pre_tokenizer"):
        inner = {"type": "Sequence", f"{place.replace('_', '')}s": [step]}
        with pytest.raises(UserError, match=r"at the pattern '\(a\+\)\+\$', which is not run"):
            altered("t5", serialized=content | {place: inner, "truncation": {"max_length": 1}})


def test_an_unknown_family_names_the_known_ones(tmp_path):
    with pytest.raises(UserError, match=r"'bert' cannot be read: choose a model of bart, .*t5"):
        read_tokenizer(tmp_path, "bert", {})
    with pytest.raises(UserError, match="A ReformerTokenizer cannot be read: choose"):
        read_tokenizer(tmp_path, "t5", {"tokenizer_class": "ReformerTokenizer"})
    with pytest.raises(UserError, match=r"no tokenizer.json and no spiece.model: fetch"):
        read_tokenizer(tmp_path, "t5", {})


@pytest.mark.parametrize("name", FAMILIES)
def test_chance_damage_ends_in_a_user_error_or_in_a_tokenizer(cases, tmp_path, name):
    rng = random.Random(name)
    for layout in ("published", "saved"):
        for _ in range(12):
            folder = tmp_path / "damaged"
            shutil.copytree(cases(name, layout).folder, folder, dirs_exist_ok=True)
            path = rng.choice(sorted(folder.iterdir()))
            content = bytearray(path.read_bytes())
            for _ in range(rng.randint(1, 9)):
                content[rng.randrange(len(content))] = rng.randrange(256)
            path.write_bytes(content[: rng.choice([len(content), rng.randrange(len(content))])])
            with suppress(UserError):
                tokenizer = read_tokenizer(folder, FAMILIES[name][0], {})
                tokenizer.pieces(tokenizer.encode("The cat, é½ 🙂"))
                tokenizer.decode(range(300))
