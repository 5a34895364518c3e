import pytest

from seq2seq.data.tokenizer import BOS, EOS, PAD, UNKNOWN, SplitRules, Unigram, word_numbers
from seq2seq.errors import UserError

TEXTS = ["The cat sleeps.", "Où est la gare ?", "We are going to the station.", "a", "aujourd'hui"]


@pytest.mark.parametrize("text", TEXTS)
def test_text_comes_back(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert min(ids) > EOS
    assert max(ids) < len(tokenizer)


def test_every_training_sentence_comes_back(tokenizer, pairs):
    for pair in pairs:
        for text in pair:
            assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_belong_to_ids_and_spell_the_text(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.split(text).pieces == tokenizer.pieces(ids)
    assert "".join(tokenizer.split(text).pieces).replace("▁", " ").strip() == text


def test_special_tokens_have_their_places(tokenizer):
    assert tokenizer.pieces([PAD, UNKNOWN, BOS, EOS]) == ("<pad>", "<unk>", "<s>", "</s>")
    assert tokenizer.pieces([PAD, UNKNOWN, BOS, EOS]) == ("<pad>", "<unk>", "<s>", "</s>")
    assert tokenizer.special == {PAD, UNKNOWN, BOS, EOS}


def test_special_tokens_leave_no_trace_in_text(tokenizer):
    ids = tokenizer.encode("The cat sleeps.")
    assert tokenizer.decode([BOS, *ids, UNKNOWN, EOS, PAD, PAD]) == "The cat sleeps."
    assert tokenizer.decode([EOS]) == ""
    assert tokenizer.decode([]) == ""


@pytest.mark.parametrize("text", ["</s>", "<s> a", "a <pad> b", "<unk>"])
def test_nobody_can_type_a_special_token(tokenizer, text):
    assert not {PAD, BOS, EOS} & set(tokenizer.encode(text))


def test_unknown_characters_stand_for_themselves_in_the_split(tokenizer):
    pieces, ids = tokenizer.split("The 猫 sleeps.").pieces, tokenizer.encode("The 猫 sleeps.")
    assert len(pieces) == len(ids)
    assert ids[pieces.index("猫")] == UNKNOWN
    assert ids.count(UNKNOWN) == 1


@pytest.mark.parametrize("text", ["", " ", "\t \n", "▁"])
def test_nothing_has_no_pieces(tokenizer, text):
    assert tokenizer.encode(text) == []
    assert tokenizer.split(text).pieces == ()


def test_sampled_splits_differ_but_spell_the_same(tokenizer):
    text = "The children play near the river."
    tokenizer.seed(1)
    splits = {tuple(tokenizer.encode(text, alpha=0.1)) for _ in range(20)}
    assert len(splits) > 5
    assert {tokenizer.decode(split) for split in splits} == {text}


def test_a_seed_fixes_the_sampled_splits(tokenizer, pairs):
    def sample(seed):
        tokenizer.seed(seed)
        return [tokenizer.encode(pair.source, alpha=0.1) for pair in pairs]

    first = sample(1)
    assert sample(2) != first
    assert sample(1) == first


def test_training_twice_gives_one_model(pairs):
    texts = [text for pair in pairs for text in pair]
    assert Unigram.train(texts, 90).model == Unigram.train(iter(texts), 90).model
    assert len(Unigram.train(texts, 90)) == 90


def test_symbols_are_never_split(pairs):
    texts = [text for pair in pairs for text in pair]
    tokenizer = Unigram.train(texts, 100, rules=SplitRules(("<en>", "<fr>")))
    assert {"<en>", "<fr>"} <= set(tokenizer.split("<en> the cat<fr>le chat").pieces)


def test_a_folded_model_reads_folded_text(pairs):
    texts = [f"{pair.source} 12" for pair in pairs]
    folded = Unigram.train(texts, pieces=90, folded=True)
    assert folded.encode("The CAT 3.5") == folded.encode("the cat ##")
    assert folded.encode_all(["The CAT 3.5"]) == [folded.encode_target("the cat ##")]
    assert folded.split("The CAT 3.5").pieces == folded.split("the cat ##").pieces
    assert folded.decode(folded.encode("The CAT 3.5")) == "the cat ##"
    assert Unigram(folded.model).encode("The CAT 3.5") != folded.encode("The CAT 3.5")


def test_a_model_comes_back_from_its_file(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(tokenizer.model)
    again = Unigram.load(path)
    assert again.model == tokenizer.model
    assert again.encode("The cat sleeps.") == tokenizer.encode("The cat sleeps.")


@pytest.mark.parametrize("damage", [lambda m: b"", lambda m: b"text", lambda m: m[: len(m) // 2]])
def test_a_damaged_model_is_refused(tokenizer, tmp_path, damage):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(damage(tokenizer.model))
    with pytest.raises(UserError, match=r"tokenizer\.model is damaged"):
        Unigram.load(path)


def test_a_missing_model_is_refused(tmp_path):
    for path in (tmp_path / "tokenizer.model", tmp_path):
        with pytest.raises(UserError, match=f"has no {path.name}: fetch it"):
            Unigram.load(path)


@pytest.mark.parametrize(("texts", "pieces"), [(TEXTS, 6), (TEXTS, 0), ([], 50)])
def test_too_few_pieces_or_texts_are_a_users_mistake(texts, pieces):
    with pytest.raises(UserError, match=f"{pieces} pieces"):
        Unigram.train(texts, pieces)


@pytest.mark.parametrize(
    ("pieces", "numbers"),
    [
        ((), ()),
        (("▁The", "▁cat"), (0, 1)),
        (("▁sl", "ee", "ps", "."), (0, 0, 0, 0)),
        (("▁a", "▁", "b", "c", "▁d"), (0, 1, 1, 1, 2)),
        (("▁cat", "s", "</s>"), (0, 0, 1)),
        (("cat", "s", "▁a"), (0, 0, 1)),
        (("<s>", "cat", "s", "</s>", "x"), (0, 1, 1, 2, 3)),
        (("</s>", "</s>"), (0, 1)),
        (("▁a", "<unk>", "b"), (0, 1, 2)),
    ],
)
def test_word_numbers(pieces, numbers):
    special = [piece in ("<s>", "</s>", "<unk>") for piece in pieces]
    assert word_numbers(pieces, special) == numbers


@pytest.mark.parametrize("text", TEXTS)
def test_there_are_as_many_words_as_spaces_say(tokenizer, text):
    pieces = tokenizer.split(text).pieces
    numbers = word_numbers(pieces, [False] * len(pieces))
    assert sorted(set(numbers)) == list(range(len(text.split())))
    assert list(numbers) == sorted(numbers)


def test_characters_are_known_even_where_no_sentence_has_them(pairs):
    fitted = Unigram.train(
        [pair.target for pair in pairs], 90, rules=SplitRules(characters=tuple("xyzÆ"))
    )
    assert fitted.split("xÆz").pieces == ("▁", "x", "Æ", "z")
    assert fitted.decode(fitted.encode("zÆ")) == "zÆ"


@pytest.mark.parametrize(("texts", "kind"), [("one text", "unigram"), (TEXTS, "letters")])
def test_a_tokenizer_is_fitted_to_texts_in_a_known_way(texts, kind):
    with pytest.raises(UserError, match="unigram, bpe, word, character"):
        Unigram.train(texts, 50, kind=kind)
