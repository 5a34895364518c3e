"""Families that take a tokenizer of their own to the parts of another."""

import pytest
import transformers

from seq2seq.families.tokenizers import read_tokenizer
from tests import vocabularies as made

TEXTS = [text for text in made.texts(300) if "<" not in text]
# name: (family, maker of the published files, the reference's class)
CASES = {
    "codet5": ("t5", made.codet5, "RobertaTokenizer"),
    "byt5": ("t5", made.byt5, "ByT5Tokenizer"),
    "mvp": ("mvp", made.bart, "MvpTokenizer"),
    "plbart": ("plbart", made.plbart, "PLBartTokenizer"),
    "plbart-multi": ("plbart", made.plbart_multi, "PLBartTokenizer"),
    "umt5": ("umt5", made.t5, "T5Tokenizer"),
}


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    family, make, kind = CASES[request.param]
    folder = make(tmp_path_factory.mktemp("relatives") / request.param)
    reference = getattr(transformers, kind).from_pretrained(folder)
    return read_tokenizer(folder, family, {}), reference, request.param


def test_ids_are_those_of_the_reference(case):
    ours, reference, _ = case
    for text in TEXTS:
        before, after = ours.around()
        assert [*before, *ours.encode(text), *after] == reference(text).input_ids
        assert len(ours.split(text).pieces) == len(ours.encode(text))


def test_texts_are_those_of_the_reference(case):
    ours, reference, _ = case
    for text in TEXTS:
        ids = reference(text).input_ids
        assert ours.decode(ids).strip() == reference.decode(ids, skip_special_tokens=True).strip()


def test_plbart_reads_languages_around_its_sources(case):
    ours, reference, name = case
    if not name.startswith("plbart"):
        assert not ours.languages
        return
    for code in ("java", "python", "en_XX"):
        reference.src_lang = f"__{code}__"
        before, after = ours.around(code)
        assert [*before, *ours.encode("a b"), *after] == reference("a b").input_ids
