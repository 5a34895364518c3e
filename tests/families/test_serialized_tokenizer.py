"""A tokenizer.json that is not of its family's kind is run as it stands."""

import dataclasses
import json

import pytest
import tokenizers
import torch
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

import seq2seq
from seq2seq import Options
from seq2seq.data.spans import cover, place
from seq2seq.errors import UserError
from seq2seq.families.tokenizers import read_tokenizer
from tests import published
from tests import vocabularies as made
from tests.families.test_generation_configs import answers, vary
from tests.spans import assert_cover

TEXTS = made.texts(300)
ROLES = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "decoder_start": "</s>"}
SPECIAL = ["<pad>", "</s>", "<unk>"]


def trained(library, trainer):
    library.train_from_iterator(made.TEXTS * 3, trainer)
    return library


def flax_recipe():
    """Make a T5 tokenizer as the pre-training recipe for Flax does."""
    library = tokenizers.Tokenizer(models.Unigram())
    library.normalizer = normalizers.Sequence(
        [
            normalizers.Nmt(),
            normalizers.NFKC(),
            normalizers.Replace(tokenizers.Regex(" {2,}"), " "),
            normalizers.Lowercase(),
        ]
    )
    library.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Punctuation(),
        ]
    )
    library.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=250, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )
    library = trained(library, trainer)
    library.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return library


def metaspace_pairs():
    """Make byte pairs of characters for a BART, as KoBART has them."""
    library = tokenizers.Tokenizer(models.BPE(unk_token="<unk>"))
    library.pre_tokenizer = pre_tokenizers.Metaspace()
    library.decoder = decoders.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    return trained(
        library, trainers.BpeTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    )


def bare_bytes():
    """Make byte pairs that put nothing around a text."""
    library = tokenizers.Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    library.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    return trained(library, trainer)


def word_pieces():
    """Make pieces that are marked with ## inside words, as BERT has them."""
    library = tokenizers.Tokenizer(models.WordPiece(unk_token="<unk>"))
    library.normalizer = normalizers.BertNormalizer(lowercase=True)
    library.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    library.decoder = decoders.WordPiece(cleanup=False)
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=SPECIAL, show_progress=False)
    return trained(library, trainer)


# family, its tokenizer, the class that its settings name
CASES = {
    "flax t5": ("t5", flax_recipe, None),
    "flax t5, named": ("t5", flax_recipe, "T5Tokenizer"),
    "kobart": ("bart", metaspace_pairs, "PreTrainedTokenizerFast"),
    "kobart, unnamed": ("bart", metaspace_pairs, None),
    "bare bart": ("bart", bare_bytes, "TokenizersBackend"),
    "word pieces": ("t5", word_pieces, "PreTrainedTokenizerFast"),
    "bare marian": ("marian", flax_recipe, "PreTrainedTokenizerFast"),
}


def written(folder, make, kind):
    folder.mkdir(parents=True, exist_ok=True)
    library = make()
    library.save(str(folder / "tokenizer.json"))
    settings = {} if kind is None else {"tokenizer_class": kind, "eos_token": "</s>"}
    if settings:
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return library


@pytest.mark.parametrize("case", CASES)
def test_ids_and_texts_are_those_of_the_file(tmp_path, case):
    family, make, kind = CASES[case]
    library = written(tmp_path / case, make, kind)
    ours = read_tokenizer(tmp_path / case, family, {"vocab_size": library.get_vocab_size()})
    spelled = 0
    for text in TEXTS:
        clean = text.replace("\uffff", "")
        if any(name in clean for name in ("<s>", "</s>", "<unk>", "<pad>")):
            continue
        before, after = ours.around()
        ids = ours.encode(text)
        assert [*before, *ids, *after] == library.encode(clean).ids
        assert ours.decode(ids) == library.decode(ids)
        split = ours.split(text)
        assert len(split.pieces) == len(split.spans) == len(ids)
        assert_cover(split.spans, text)
        decoded = ours.decode(ids).strip()
        assert_cover(cover(place(ours.surfaces(ids), decoded), decoded), decoded)
        spelled += 1
    assert spelled > 250


@pytest.mark.parametrize("beams", [1, 3])
def test_a_whole_kobart_answers_as_in_transformers(tmp_path, beams):
    folder = tmp_path / "kobart"
    library = written(folder, metaspace_pairs, "PreTrainedTokenizerFast")
    ids = {f"{name}_token_id": library.token_to_id(piece) for name, piece in ROLES.items()}
    config = published.hf.BartConfig(
        **published.FAIRSEQ, **ids, vocab_size=library.get_vocab_size(), forced_eos_token_id=None
    )
    torch.manual_seed(0)
    model = published.hf.BartForConditionalGeneration(config).eval().requires_grad_(False)
    vary(model, certain=0.5)
    model.save_pretrained(folder)
    checkpoint, said = seq2seq.load(folder), set()
    for text in [text for text in made.TEXTS if "<" not in text][:5]:
        options = Options("beam" if beams > 1 else "greedy", beams, n_best=beams, max_length=12)
        trace = seq2seq.run(checkpoint, text, dataclasses.replace(options, early_stopping=False))
        assert list(trace.source.ids) == library.encode(text).ids
        more = {"length_penalty": 1.0} if beams > 1 else {}
        expected = answers(model, list(trace.source.ids), num_beams=beams, max_length=13, **more)
        assert [list(trace.target.ids)] == expected
        said.add(trace.target.ids)
    assert len(said) > 1


@pytest.mark.parametrize("case", CASES)
def test_no_text_spells_a_special_token(tmp_path, case):
    family, make, kind = CASES[case]
    library = written(tmp_path / case, make, kind)
    ours = read_tokenizer(tmp_path / case, family, {"vocab_size": library.get_vocab_size()})
    end = library.token_to_id("</s>")
    assert end in ours.special
    for text in ("a</s> b", "<pad>", "</s>"):
        assert not {end, library.token_to_id("<pad>")} & set(ours.encode(text))
    assert ours.decode([end]) == ""


def test_a_file_of_the_familys_kind_is_read_as_the_family_reads_it(cases):
    for name in ("t5", "bart", "pegasus"):
        assert cases(name, "saved").ours.encode("a  b\n") == cases(name).ours.encode("a  b\n")


@pytest.mark.parametrize("family", ["whisper", "mbart", "m2m_100"])
def test_where_a_family_needs_more_another_kind_is_refused_by_name(tmp_path, family):
    written(tmp_path / "odd", flax_recipe, None)
    with pytest.raises(UserError, match=r"of another kind .*Digits.*Metaspace"):
        read_tokenizer(tmp_path / "odd", family, {})
