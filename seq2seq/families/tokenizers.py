"""The tokenizer of a published model: which files a family has, and what it does with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from seq2seq.errors import UserError
from seq2seq.families import fast_tokenizers
from seq2seq.families.base_tokenizer import LANGUAGE, Frame, Names, Published
from seq2seq.families.blenderbot_small_bpe import Continued
from seq2seq.families.byte_tokenizer import Bytes
from seq2seq.families.fast_tokenizers import WhitespaceRules, guarded, tried
from seq2seq.families.language_codes import M2M100, MBART, MBART50, NLLB, PLBART, WMT21
from seq2seq.families.mapped_sentencepiece import Mapped, SideVocabulary, processor
from seq2seq.families.serialized_tokenizer import read_serialized_tokenizer, runs_itself
from seq2seq.families.vocabulary_builder import Gathered, generated_merges
from seq2seq.families.vocabulary_files import (
    SERIALIZED,
    Added,
    Pieces,
    Settings,
    has,
    missing,
    read_ids,
    read_merges,
    read_sentencepiece,
    read_sentencepieces,
    read_serialized,
)

SPIECE, BPE_MODEL = "spiece.model", "sentencepiece.bpe.model"
VOCABULARY, TARGET_VOCABULARY, MERGES = "vocab.json", "target_vocab.json", "merges.txt"
SOURCE_MODEL, TARGET_MODEL = "source.spm", "target.spm"

# The special tokens of a family by role, where its files do not say otherwise.
SENTENCE = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
FAIRSEQ = {"bos_token": "<s>", **SENTENCE}
MASKED = {**FAIRSEQ, "mask_token": "<mask>"}
PEGASUS = {**SENTENCE, "mask_token": "<mask_2>", "mask_token_sent": "<mask_1>"}
SMALL = {
    "bos_token": "__start__",
    "eos_token": "__end__",
    "unk_token": "__unk__",
    "pad_token": "__null__",
}
WHISPER = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")

ROLES = {
    "t5": SENTENCE,
    "mt5": SENTENCE,
    "umt5": SENTENCE,
    "mvp": MASKED,
    "marian": SENTENCE,
    "pegasus": PEGASUS,
    "bart": MASKED,
    "blenderbot": MASKED,
    "blenderbot-small": SMALL,
}

# Names of tokenizers as the settings give them, without the Fast that some end in.
ANY_KIND = ("", "PreTrainedTokenizer", "TokenizersBackend")
KINDS = {
    "bart": ("BartTokenizer", "RobertaTokenizer"),
    "blenderbot": ("BlenderbotTokenizer",),
    "blenderbot-small": ("BlenderbotSmallTokenizer",),
    "m2m_100": ("M2M100Tokenizer", "NllbTokenizer"),
    "marian": ("MarianTokenizer",),
    "mbart": ("MBartTokenizer", "MBart50Tokenizer"),
    "mt5": ("T5Tokenizer", "MT5Tokenizer"),
    "umt5": ("T5Tokenizer", "UMT5Tokenizer"),
    "mvp": ("MvpTokenizer", "BartTokenizer", "RobertaTokenizer"),
    "plbart": ("PLBartTokenizer",),
    "pegasus": ("PegasusTokenizer",),
    "t5": ("T5Tokenizer", "MT5Tokenizer", "RobertaTokenizer", "ByT5Tokenizer"),
    "whisper": ("WhisperTokenizer",),
}

TIMESTAMPS = 1501  # from 0.00 to 30.00 seconds, 0.02 apart

Values = dict[str, Any]
Scores = list[tuple[str, float]]


def read_tokenizer(folder: Path, family: str, values: Values) -> Published:
    """Read the tokenizer of a published model.

    family: its model_type; values: its config.json. Only files with fixed names in the folder are
    read, and nothing in them is run. Raises UserError for what is missing, damaged or unknown.
    """
    if family not in READERS:
        known = ", ".join(sorted(READERS))
        raise UserError(f"Tokenizers of {family!r} cannot be read: choose a model of {known}.")
    settings = Settings(folder, values)
    if settings.kind not in (*ANY_KIND, *KINDS[family]):
        raise UserError(
            f"A {settings.kind} cannot be read: choose a model with a {' or '.join(KINDS[family])}."
        )
    if runs_itself(folder, family, settings.kind):
        return read_serialized_tokenizer(folder, settings, ROLES.get(family, {}), _size(values))
    return READERS[family](folder, settings, values)


def _t5(folder: Path, settings: Settings, values: Values) -> Published:
    """Read T5's own pieces, or those of CodeT5 and ByT5, which share its architecture."""
    if settings.kind == "RobertaTokenizer":
        return _bart(folder, settings, values)
    nothing = not has(folder, SERIALIZED) and not has(folder, SPIECE)
    if settings.kind == "ByT5Tokenizer" or (nothing and _size(values) == 384):
        return Bytes(_size(values))
    count = settings.count("extra_ids", 100)
    sentinels = [f"<extra_id_{number}>" for number in reversed(range(count))]
    pieces, added = _unigrams(folder, SPIECE, lambda scores: [*scores, *_zero(sentinels)])
    gathered = Gathered(pieces, settings, SENTENCE, added=added, special=sentinels)
    names = gathered.names(_size(values))
    frame = Frame(after=(gathered.token("eos_token"),))
    return _unigram(gathered, settings, names, frame, WhitespaceRules(whole_words=True), Added())


def _pegasus(folder: Path, settings: Settings, values: Values) -> Published:
    named = PEGASUS | settings.named
    first = [named[role] for role in ("pad_token", "eos_token", "mask_token_sent", "mask_token")]
    unused = [f"<unk_{number}>" for number in range(2, settings.count("offset", 103))]

    def shifted(scores: Scores) -> Scores:
        return [*_zero(first), *((name, -100.0) for name in unused), *scores[2:]]

    pieces, added = _unigrams(folder, SPIECE, shifted)
    gathered = Gathered(pieces, settings, PEGASUS, added=added, special=unused)
    names = gathered.names(_size(values))
    frame = Frame(after=(gathered.token("eos_token"),))
    return _unigram(
        gathered, settings, names, frame, WhitespaceRules(spaces=True, breaks=True), Added()
    )


def _mbart(folder: Path, settings: Settings, values: Values) -> Published:
    size = _size(values)

    def codes(length: int) -> tuple[str, ...]:
        by_size = size is None or size - length > len(MBART50)
        named = {"MBartTokenizer": MBART, "MBart50Tokenizer": MBART50}
        return named.get(settings.kind, MBART50 if by_size else MBART)

    def shifted(scores: Scores) -> Scores:
        first = ("<s>", "<pad>", "</s>", "<unk>")
        return [*_zero(first), *scores[3:], *_zero(codes(len(scores))), ("<mask>", 0.0)]

    pieces, added = _unigrams(folder, BPE_MODEL, shifted)
    listed = {name for name, _ in pieces.scores}
    languages = [code for code in MBART50 if code in listed]
    # Fine-tuned models may bring further ones.
    more = _matching(r"[a-z]{2,3}_[A-Z]{2}", added, settings.added, settings.extra)
    languages += [code for code in more if code not in languages]
    gathered = Gathered(
        pieces, settings, MASKED, added=added, languages={code: code for code in languages}
    )
    names = gathered.names(size)
    default = _default(settings, names.languages, "en_XX")
    eos = gathered.token("eos_token")
    known = settings.kind not in ANY_KIND
    fifty = settings.kind == "MBart50Tokenizer" if known else MBART50[-1] in languages
    frame = Frame((LANGUAGE,), (eos,), default) if fifty else Frame((), (eos, LANGUAGE), default)
    mask = Added(lstrip=True, normalized=True)
    rules = WhitespaceRules(whole_words=not fifty, spaces=fifty)
    return _unigram(gathered, settings, names, frame, rules, mask)


def _many(folder: Path, settings: Settings, values: Values) -> Published:
    """Tell M2M100 and NLLB apart, which share an architecture."""
    nllb = settings.kind.startswith("Nllb")
    if settings.kind in ANY_KIND:
        nllb = not has(folder, VOCABULARY)
    return (_nllb if nllb else _m2m100)(folder, settings, values)


def _nllb(folder: Path, settings: Settings, values: Values) -> Published:
    added: dict[str, Added] = {}
    if has(folder, SERIALIZED):
        pieces, added = read_serialized(folder, unigram=False)
    elif has(folder, BPE_MODEL):
        found = read_sentencepieces(folder, BPE_MODEL)
        original = {name: id for id, (name, _) in enumerate(found.scores)}
        order = dict.fromkeys(("<s>", "<pad>", "</s>", "<unk>", *original))
        ids = {name: id for id, name in enumerate(order)}
        pieces = Pieces([], ids, generated_merges(original, BPE_MODEL), found.charsmap)
    else:
        raise missing([SERIALIZED, BPE_MODEL])
    codes = _matching(r"[a-z]{3}_[A-Z][a-z]{3}", added, settings.added, settings.extra)
    languages = codes or list(NLLB)
    gathered = Gathered(
        pieces, settings, MASKED, added=added, languages={code: code for code in languages}
    )
    names = gathered.names(_size(values))
    default = _default(settings, names.languages, "eng_Latn")
    eos = gathered.token("eos_token")
    legacy = settings.flag("legacy_behaviour")
    frame = Frame((), (eos, LANGUAGE), default) if legacy else Frame((LANGUAGE,), (eos,), default)
    mask = Added(lstrip=True, normalized=True)
    rules = WhitespaceRules(spaces=bool(pieces.charsmap))
    with guarded():
        library = fast_tokenizers.metaspaced(
            gathered.byte_pairs(unknown=True), pieces.charsmap, rules
        )
        return fast_tokenizers.Metaspaced(names, frame, tried(gathered.admit(library, mask)))


def _bart(folder: Path, settings: Settings, values: Values) -> Published:
    gathered = _bytes(folder, settings, MASKED)
    frame = Frame((gathered.token("bos_token"),), (gathered.token("eos_token"),))
    return _bytewise(gathered, settings, gathered.names(_size(values)), frame, prefix=False)


def _blenderbot(folder: Path, settings: Settings, values: Values) -> Published:
    gathered = _bytes(folder, settings, MASKED)
    frame = Frame((), (gathered.token("eos_token"),))
    return _bytewise(gathered, settings, gathered.names(_size(values)), frame, prefix=True)


def _whisper(folder: Path, settings: Settings, values: Values) -> Published:
    gathered = _bytes(folder, settings, WHISPER)
    gathered.special |= {name for name in gathered.ids if re.fullmatch(r"<\|[^|]+\|>", name)}
    found = ((name, re.fullmatch(r"<\|([a-z]{2,3})\|>", name)) for name in gathered.ids)
    gathered.languages = {match[1]: name for name, match in found if match}
    first = gathered.ids.get("<|notimestamps|>", -1) + 1
    if first and first not in gathered.ids.values():
        # Older files leave the timestamps out, though the models write them.
        times = {f"<|{n * 0.02:.2f}|>": first + n for n in range(TIMESTAMPS)}
        gathered.ids |= {name: id for name, id in times.items() if id < (_size(values) or 0)}
        gathered.special |= set(times)
    names = gathered.names(_size(values))
    return _bytewise(gathered, settings, names, Frame(), prefix=False, kind=fast_tokenizers.Whisper)


def _small(folder: Path, settings: Settings, values: Values) -> Published:
    ids = read_ids(folder, VOCABULARY)
    gathered = Gathered(Pieces([], ids, []), settings, SMALL)
    gathered.token("unk_token")
    tidy = settings.flag("clean_up_tokenization_spaces")
    merges = read_merges(folder, MERGES, strict=False)
    return Continued(gathered.names(_size(values)), Frame(), merges, tidy)


def _marian(folder: Path, settings: Settings, values: Values) -> Published:
    source = Gathered(Pieces([], read_ids(folder, VOCABULARY), []), settings, SENTENCE)
    codes = {name[2:-2]: name for name in source.ids if re.fullmatch(r">>.+<<", name)}
    source.languages = codes
    source.special |= set(codes.values())
    names = source.names(_size(values))
    target, target_names = source, names
    if settings.flag("separate_vocabs", default=has(folder, TARGET_VOCABULARY)):
        target = Gathered(Pieces([], read_ids(folder, TARGET_VOCABULARY), []), settings, SENTENCE)
        target_names = target.names(_size(values, "decoder_vocab_size", "vocab_size"))
        target_names = target_names._replace(languages=names.languages)
    frame = Frame((LANGUAGE,), (source.token("eos_token"),))
    return Mapped(
        target_names,
        frame,
        _side(folder, SOURCE_MODEL, source, names.languages.values()),
        _side(folder, TARGET_MODEL, target, names.languages.values()),
        source_names=names,
        coded=True,
        tidy=settings.flag("clean_up_tokenization_spaces"),
    )


def _m2m100(folder: Path, settings: Settings, values: Values) -> Published:
    codes = WMT21 if settings.values.get("language_codes") == "wmt21" else M2M100
    pieces = Pieces([], read_ids(folder, VOCABULARY), [])
    gathered = Gathered(
        pieces, settings, FAIRSEQ, languages={code: f"__{code}__" for code in codes}
    )
    names = gathered.names(_size(values))
    default = _default(settings, names.languages, "en")
    side = _side(folder, BPE_MODEL, gathered, ())
    tidy = settings.flag("clean_up_tokenization_spaces")
    frame = Frame((LANGUAGE,), (gathered.token("eos_token"),), default)
    return Mapped(names, frame, side, side, tidy=tidy)


def _plbart(folder: Path, settings: Settings, values: Values) -> Published:
    model = processor(read_sentencepiece(folder, BPE_MODEL), BPE_MODEL)
    pieces = [model.id_to_piece(number) for number in range(len(model))]
    ids = {name: number for number, name in enumerate(("<s>", "<pad>", "</s>", "<unk>"))}
    ids |= {piece: 1 + number for number, piece in enumerate(pieces) if number >= 3}
    many = settings.values.get("language_codes") == "multi"
    codes = PLBART if many else PLBART[:3]
    ids |= {f"__{code}__": 1 + len(pieces) + number for number, code in enumerate(codes)}
    if not many:
        ids["<mask>"] = 1 + len(pieces) + len(codes)
    gathered = Gathered(
        Pieces([], ids, []),
        settings,
        FAIRSEQ if many else MASKED,
        languages={code: f"__{code}__" for code in codes},
    )
    names = gathered.names(_size(values))
    default = _default(settings, names.languages, "en_XX") if many else ""
    special = frozenset(gathered.ids[name] for name in gathered.special if name in gathered.ids)
    side = SideVocabulary(model, gathered.ids, gathered.token("unk_token"), special)
    tidy = settings.flag("clean_up_tokenization_spaces", default=True)
    return Mapped(
        names, Frame((), (gathered.token("eos_token"), LANGUAGE), default), side, side, tidy=tidy
    )


def _side(folder: Path, name: str, gathered: Gathered, written: Iterable[int]) -> SideVocabulary:
    """Return one side of a model whose vocab.json gives the ids; written: what a text may say."""
    special = {gathered.ids[token] for token in gathered.special if token in gathered.ids}
    model = processor(read_sentencepiece(folder, name), name)
    unwritten = frozenset(special - set(written))
    return SideVocabulary(model, gathered.ids, gathered.token("unk_token"), unwritten)


def _unigrams(
    folder: Path, name: str, placed: Callable[[Scores], Scores]
) -> tuple[Pieces, dict[str, Added]]:
    """Read unigrams from tokenizer.json, or from a sentencepiece model with its ids put right."""
    if has(folder, SERIALIZED):
        return read_serialized(folder, unigram=True)
    if not has(folder, name):
        raise missing([SERIALIZED, name])
    pieces = read_sentencepieces(folder, name)
    return pieces._replace(scores=placed(pieces.scores)), {}


def _bytes(folder: Path, settings: Settings, named: dict[str, str]) -> Gathered:
    """Read byte pairs from tokenizer.json, or from vocab.json and merges.txt."""
    if has(folder, SERIALIZED):
        pieces, added = read_serialized(folder, unigram=False)
        return Gathered(pieces, settings, named, added=added)
    if not has(folder, VOCABULARY, MERGES):
        raise missing([SERIALIZED, f"{VOCABULARY} with {MERGES}"])
    pieces = Pieces([], read_ids(folder, VOCABULARY), read_merges(folder, MERGES))
    return Gathered(pieces, settings, named)


def _unigram(
    gathered: Gathered,
    settings: Settings,
    names: Names,
    frame: Frame,
    rules: WhitespaceRules,
    mask: Added,
) -> Published:
    """Return unigrams; mask: how a text's mask is found where the files do not say."""
    tidy = settings.flag("clean_up_tokenization_spaces")
    with guarded():
        library = fast_tokenizers.metaspaced(gathered.unigrams(), gathered.pieces.charsmap, rules)
        return fast_tokenizers.Metaspaced(names, frame, tried(gathered.admit(library, mask)), tidy)


def _bytewise(
    gathered: Gathered,
    settings: Settings,
    names: Names,
    frame: Frame,
    *,
    prefix: bool,
    kind: type[fast_tokenizers.Bytewise] = fast_tokenizers.Bytewise,
) -> Published:
    """Return byte pairs; prefix: whether the first word gets a space before it, by default."""
    prefix = settings.flag("add_prefix_space", prefix)
    with guarded():
        library = fast_tokenizers.bytewise(gathered.byte_pairs(), prefix)
        return kind(names, frame, tried(gathered.admit(library, Added(lstrip=True))))


def _zero(names: Iterable[str]) -> Scores:
    return [(name, 0.0) for name in names]


def _size(values: Values, *keys: str) -> int | None:
    """Return the number of tokens that a model has room for, if its config says so."""
    for key in keys or ("vocab_size",):
        if type(values.get(key)) is int:
            return values[key]
    return None


def _default(settings: Settings, languages: Iterable[str], english: str) -> str:
    """Return the language of a source for which none is named."""
    wanted, known = settings.values.get("src_lang"), list(languages)
    return next((code for code in (wanted, english, *known) if code in known), "")


def _matching(pattern: str, *names: Iterable[str]) -> list[str]:
    """Return the names that fit a pattern, each once."""
    found = (name for some in names for name in some if re.fullmatch(pattern, name))
    return list(dict.fromkeys(found))


READERS: dict[str, Callable[[Path, Settings, Values], Published]] = {
    "bart": _bart,
    "blenderbot": _blenderbot,
    "blenderbot-small": _small,
    "m2m_100": _many,
    "marian": _marian,
    "mbart": _mbart,
    "mt5": _t5,
    "umt5": _t5,
    "mvp": _bart,
    "plbart": _plbart,
    "pegasus": _pegasus,
    "t5": _t5,
    "whisper": _whisper,
}
