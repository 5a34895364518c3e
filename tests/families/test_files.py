"""Damaged, mismatching and hostile files of published tokenizers."""

import base64
import json
import random
import shutil
from contextlib import suppress

import pytest

from seq2seq.errors import UserError
from seq2seq.families import vocabulary_builder, vocabulary_files
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


def unread(content, **parts):
    """Return a tokenizer.json that is run as it stands, with these parts."""
    return content | {"pre_tokenizer": {"type": "Punctuation", "behavior": "Isolated"}} | parts


def sequence(*steps):
    return {"type": "Sequence", "normalizers": list(steps)}


def replacing(pattern, content):
    return {"type": "Replace", "pattern": {"String": pattern}, "content": content}


def charsmap(*replacements):
    content = b"\0" * 4 + b"\0".join(replacements) + b"\0"
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(content).decode()}


NFKC, LOWERCASE = {"type": "NFKC"}, {"type": "Lowercase"}
BERT = {"clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
GROWING = {
    "doubled": sequence(*[replacing("a", "aa")] * 10),
    "at once": replacing("a", "a" * 2_000),
    "between any two": replacing("", "a" * 1_000),
    "without a type": sequence(*[{"pattern": {"Regex": "\\s"}, "content": "  "}] * 10),
    "before": sequence(*[{"type": "Prepend", "prepend": "a" * 40}] * 2),
    "by letters": sequence(*[NFKC] * 3),
    "by bytes": sequence(*[{"type": "ByteLevel"}] * 7),
    "by spaces": sequence(*[BERT] * 7),
    "by a table": sequence(*[charsmap(b"", b"a" * 99)] * 2),
    "in many steps": sequence(*[LOWERCASE] * 101),
}


@pytest.mark.parametrize("what", GROWING)
def test_steps_that_make_a_text_grow_without_end_are_refused(altered, cases, what):
    content = cases("t5", "saved").saved()
    with pytest.raises(UserError, match=r"could make a text too long, so it was not run: choose"):
        altered("t5", serialized=unread(content, normalizer=GROWING[what]))
    if what == "doubled":
        steps = {"type": "Sequence", "decoders": GROWING[what]["normalizers"]}
        with pytest.raises(UserError, match="could make a text too long"):
            altered("t5", serialized=unread(content, decoder=steps))


def test_steps_as_real_files_have_them_are_run(altered, cases):
    content = cases("t5", "saved").saved()
    steps = [charsmap(b"a" * 33), NFKC, LOWERCASE, replacing("a", "b"), replacing("\n", " ")]
    mark = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    with pytest.raises(UserError, match="does not make a tokenizer"):  # for that table is none
        altered("t5", serialized=unread(content, normalizer=sequence(*steps), pre_tokenizer=mark))
    ours = altered("t5", serialized=unread(content, normalizer=sequence(*steps[1:])))
    assert ours.encode("A\nCAT") == ours.encode("b cbt")


@pytest.mark.parametrize(
    "parts",
    [
        {"normalizer": [{"String": "a"}, "aa"]},
        {"normalizer": sequence([{"String": "a"}, "aa"])},
        {"normalizer": ["aa"]},
        {"decoder": [{"String": "a"}, "aa"]},
        {"normalizer": charsmap(b"a" * 101)},
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "?"}},
        {"added_tokens": [{"id": 0, "content": "a" * 1_001}]},
        {"added_tokens": [["a", 0]]},
    ],
)
def test_steps_that_are_none_are_damage(altered, cases, parts):
    with pytest.raises(UserError, match=r"tokenizer.json is damaged: fetch"):
        altered("t5", serialized=unread(cases("t5", "saved").saved(), **parts))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("continuing_subword_prefix", "#" * 101),
        ("end_of_word_suffix", "#" * 101),
        ("max_input_chars_per_word", 10**9),
        ("vocab", {"a" * 1_001: 0}),
        ("vocab", [["a" * 1_001, 0.0]] * 4),
        ("vocab", "a"),
    ],
)
def test_so_are_pieces_that_none_has(altered, cases, key, value):
    content = cases("t5", "saved").saved()
    model = content["model"] | {key: value}
    with pytest.raises(UserError, match=r"tokenizer.json is damaged: fetch"):
        altered("t5", serialized=unread(content, model=model))


def test_a_pattern_is_found_behind_any_number_of_steps(altered, cases):
    content = cases("t5", "saved").saved()
    pattern = {"Regex": r"\w*\w*(?=b)(?=c)"}
    split = {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}
    steps = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}] * 99 + [split]}
    with pytest.raises(UserError, match=r"at the pattern .*, which is not run"):
        altered("t5", serialized=unread(content, pre_tokenizer=steps))


DEEP = "[" * 1_000 + "]" * 1_000
STEPS = '{"type": "Sequence", "normalizers": [' * 500 + "]}" * 500


@pytest.mark.parametrize("part", ["normalizer", "model", "decoder"])
@pytest.mark.parametrize("text", ['{"type": DEEP}', '{"pattern": {"x": DEEP}}', "DEEP", STEPS])
def test_deep_nesting_is_at_most_the_users_problem(altered, cases, part, text):
    saved = cases("t5", "saved").saved()
    content = json.dumps(unread(saved) | {part: "HERE"})
    if part == "model" and text.startswith("{"):
        text = f'{text[:-1]}, "vocab": {json.dumps(saved["model"]["vocab"])}}}'
    with suppress(UserError):
        altered("t5", serialized=content.replace('"HERE"', text.replace("DEEP", DEEP)))


@pytest.mark.parametrize(
    ("mark", "content"),
    [
        ("[", '{"x":[%s[]]}' % ("[]," * 30)),
        ("{", '{"x":[%s{}]}' % ("{}," * 30)),
        (",", '{"x":[%s0]}' % ("0," * 30)),
    ],
)
def test_files_of_too_many_values_are_not_parsed(altered, monkeypatch, mark, content):
    monkeypatch.setitem(vocabulary_files.MOST_MARKS, mark.encode(), 20)
    with pytest.raises(UserError, match=r"vocab.json is too large to be one: choose"):
        altered("bart", vocab=content)


def test_vocabularies_of_too_many_letters_are_refused(altered, cases, monkeypatch):
    monkeypatch.setattr(vocabulary_files, "MOST_TEXT", 100)
    with pytest.raises(UserError, match=r"spiece.model is too large to be one: choose"):
        altered("t5")
    monkeypatch.setattr(vocabulary_files, "MOST_MERGES", 10)
    with pytest.raises(UserError, match=r"merges.txt is too large to be one: choose"):
        altered("bart")


def test_a_sentencepiece_model_is_not_read_where_no_other_is_as_large(altered, monkeypatch):
    monkeypatch.setattr(vocabulary_files, "LARGEST_SENTENCEPIECE", 100)
    for name in ("t5", "marian", "m2m100"):
        with pytest.raises(UserError, match=r"is too large to be one: choose"):
            altered(name)


@pytest.mark.parametrize(
    ("name", "file", "path"),
    [
        ("nllb", "bpe", "sentencepiece.bpe.model"),
        ("m2m100", "bpe", "sentencepiece.bpe.model"),
        ("marian", "target", "target.spm"),
    ],
)
@pytest.mark.parametrize("what", ["piece", "normalizer_spec", "denormalizer_spec"])
def test_a_sentencepiece_model_of_endless_texts_is_refused(altered, cases, name, file, path, what):
    from sentencepiece import sentencepiece_model_pb2

    content = (cases(name).folder / path).read_bytes()
    model = sentencepiece_model_pb2.ModelProto.FromString(content)
    if what == "piece":
        model.pieces[9].piece = "a" * 1_001
    else:
        getattr(model, what).precompiled_charsmap = b"\0" * 4 + b"a" * 101 + b"\0"
    with pytest.raises(UserError, match=rf"{path} is damaged: fetch"):
        altered(name, **{file: model.SerializeToString()})


def test_pieces_of_endless_pairs_are_refused(monkeypatch):
    monkeypatch.setattr(vocabulary_builder, "MOST_MERGES", 100)
    pieces = {"a" * length: length for length in range(1, 20)}
    with pytest.raises(UserError, match=r"spiece.model is damaged"):
        vocabulary_builder.generated_merges(pieces, "spiece.model")


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
