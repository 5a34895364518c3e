"""Small vocabularies fitted here, written as the published models' folders hold them."""

import io
import json
import random

import sentencepiece
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers

from seq2seq.families.language_codes import M2M100, NLLB
from seq2seq.families.tokenizers import read_tokenizer

TEXTS = """
The small cat sleeps on the old chair near the window, doesn't it?
Where is the train station? It's raining in the city this morning.
We're going to the market to buy bread, cheese and 12 apples for 3.50 euros.
"I would like a cup of tea," she said (and smiled); they've already left!
The children play near the river while their teacher explains the question.
Winter is cold and summer is hot: 365 days, 7 weeks, 24 hours.
Le petit chat dort sur la vieille chaise près de la fenêtre.
Où est la gare ? Il pleut dans la ville ce matin, n'est-ce pas ?
Nous allons au marché acheter du pain, du fromage et des pommes.
« Je voudrais une tasse de thé », a-t-elle dit ; ils sont déjà partis !
Les élèves jouent près de la rivière pendant que le professeur explique.
L'hiver est froid et l'été est chaud, ça m'a plu, cœur naïf, maïs.
Die Straße ist groß, und die Tür öffnet sich für schöne Mädchen.
Der Lehrer erklärt die Frage, während die Kinder am Fluss spielen.
El niño comió una manzana; ¿dónde está la estación? ¡Qué día!
THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG. PORTEZ CE VIEUX WHISKY.
hello hello world, what do you mean? i think i am fine, thanks.
the the the and and of of to to in in is is that it was for on are as with
""".strip().split("\n")

STRANGE = [
    "日本語の文。",
    "مرحبا بالعالم",
    "🙂👩‍👩‍👧🏳️‍🌈",
    "е́лка Москва",
    "हिन्दी",
    "e\u0301 a\u030a o\u0308",
]
WORDS = sorted({word for text in TEXTS for word in text.split()})
MARKS = ["...", "?!", ",,", "—", "«»", "''", "()", "#@%", "-", "'s", "n't", "…", "½", "ﬁ", "Ⅳ", "™"]
BLANKS = [" ", " ", " ", " ", "  ", "    ", "\t", "\n", " \n ", "\u00a0", "\u3000", "\u200b", ""]


def texts(count, seed=1):
    """Return texts of many kinds, the same ones each time."""
    rng = random.Random(seed)
    fixed = [
        "",
        " ",
        "  a",
        "a  ",
        "\n",
        "\t",
        ".",
        "a",
        "é",
        "▁",
        "▁a",
        "Ġ",
        "@@",
        "a@@ b",
        "x" * 700,
    ]
    fixed += [
        *TEXTS,
        *STRANGE,
        "ab" * 300 + " c",
        "日本" * 200,
        "\r\n a \r b",
        "A\x00b",
        "<",
        ">>",
        "<<",
    ]
    return fixed + [_text(rng) for _ in range(count - len(fixed))]


def _text(rng):
    parts = []
    for _ in range(rng.randint(1, 14)):
        kind = rng.random()
        word = rng.choice(WORDS)
        if kind < 0.1:
            word = rng.choice(STRANGE)
        elif kind < 0.2:
            word = rng.choice(MARKS) * rng.randint(1, 3)
        elif kind < 0.3:
            word = str(rng.randint(0, 10 ** rng.randint(1, 9)))
        elif kind < 0.4:
            word = rng.choice([str.upper, str.lower, str.title, str.swapcase])(word)
        elif kind < 0.5:
            word = "".join(rng.choices("abcdeéèfghijklmnopqrstuvwxyzœ'-", k=rng.randint(1, 30)))
        elif kind < 0.55:
            word = "".join(chr(rng.randint(0x21, 0x2FFF)) for _ in range(rng.randint(1, 6)))
        parts += [word, rng.choice(BLANKS)]
    return "".join(parts)


def sentencepieces(kind="unigram", size=300, **ids):
    """Fit a sentencepiece model and return it with its pieces."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 3),
        model_writer=model,
        model_type=kind,
        vocab_size=size,
        character_coverage=0.999,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
        **ids,
    )
    processor = sentencepiece.SentencePieceProcessor()
    processor.load_from_serialized_proto(model.getvalue())
    return model.getvalue(), [processor.id_to_piece(n) for n in range(len(processor))]


def byte_pairs(size=450):
    """Fit byte pairs and return the pieces in order, and the merges."""
    library = Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    library.train_from_iterator(TEXTS, trainer)
    return _fitted(library)


def word_pairs(size=300):
    """Fit byte pairs on lower-case words that end in </w>."""
    library = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    library.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=size, end_of_word_suffix="</w>", show_progress=False)
    library.train_from_iterator([text.lower() for text in TEXTS], trainer)
    return _fitted(library)


def _fitted(library):
    model = json.loads(library.to_str())["model"]
    pieces = sorted(model["vocab"], key=model["vocab"].get)
    pairs = [pair if isinstance(pair, list) else pair.split(" ") for pair in model["merges"]]
    return pieces, [" ".join(pair) for pair in pairs]


def write(folder, **files):
    """Write files: bytes, text, or what JSON can say; a _ in a name stands for the first dot."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / NAMES[name]
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return folder


NAMES = {
    "settings": "tokenizer_config.json",
    "special": "special_tokens_map.json",
    "added": "added_tokens.json",
    "vocab": "vocab.json",
    "target_vocab": "target_vocab.json",
    "merges": "merges.txt",
    "spiece": "spiece.model",
    "bpe": "sentencepiece.bpe.model",
    "source": "source.spm",
    "target": "target.spm",
    "serialized": "tokenizer.json",
}


def numbered(*names):
    """Return ids in order, each name once."""
    return {name: id for id, name in enumerate(dict.fromkeys(names))}


def marian(folder, languages=()):
    source, pieces = sentencepieces(size=280)
    target, others = sentencepieces(size=240, normalization_rule_name="nmt_nfkc_cf")
    left_out = set(pieces[20:24])
    ids = numbered("</s>", "<unk>", *(f">>{code}<<" for code in languages))
    ids = numbered(*ids, *(p for p in [*pieces, *others] if p not in left_out | {"<s>"}), "<pad>")
    return write(
        folder,
        source=source,
        target=target,
        vocab=ids,
        settings={"source_lang": "en", "target_lang": "mul", "tokenizer_class": "MarianTokenizer"},
    )


def marian_multilingual(folder):
    return marian(folder, ("fra", "deu_Latn"))


def marian_separate(folder):
    source, pieces = sentencepieces(size=280)
    target, others = sentencepieces(size=240)
    return write(
        folder,
        source=source,
        target=target,
        vocab=numbered("</s>", "<unk>", *pieces[3:], "<pad>"),
        target_vocab=numbered("</s>", "<unk>", *reversed(others[3:]), "<pad>"),
        settings={"separate_vocabs": True, "tokenizer_class": "MarianTokenizer"},
    )


def t5(folder):
    model, _ = sentencepieces(pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    sentinels = [f"<extra_id_{n}>" for n in range(100)]
    special = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    special |= {"additional_special_tokens": sentinels}
    return write(
        folder, spiece=model, special=special, settings={"model_max_length": 512} | special
    )


def pegasus(folder):
    model, _ = sentencepieces(pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    special = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    special |= {"mask_token": "<mask_2>"}
    special["additional_special_tokens"] = ["<mask_1>", *(f"<unk_{n}>" for n in range(2, 103))]
    # Without these the reference leaves a token out of the older files.
    settings = {"mask_token": "<mask_2>", "mask_token_sent": "<mask_1>", "offset": 103}
    return write(folder, spiece=model, special=special, settings=settings)


def bart(folder):
    pieces, merges = byte_pairs()
    return write(
        folder,
        vocab=numbered("<s>", "<pad>", "</s>", "<unk>", *pieces, "<mask>"),
        merges="\n".join(["#version: 0.2", *merges, ""]),
        settings={"model_max_length": 1024},
    )


def blenderbot(folder):
    pieces, merges = byte_pairs()
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    mask = {"content": "<mask>", "lstrip": True, "normalized": True, "rstrip": False}
    return write(
        folder,
        vocab=numbered("<pad>", "<s>", "</s>", "<unk>", *pieces, "<mask>"),
        merges="\n".join(["#version: 0.2", *merges, ""]),
        special=special | {"sep_token": "</s>", "cls_token": "<s>", "mask_token": mask},
        settings={"add_prefix_space": True, "model_max_length": 128} | special,
    )


def blenderbot_small(folder):
    pieces, merges = word_pairs()
    names = [p.removesuffix("</w>") if p.endswith("</w>") else p + "@@" for p in pieces]
    special = {"bos_token": "__start__", "eos_token": "__end__"}
    special |= {"unk_token": "__unk__", "pad_token": "__null__"}
    return write(
        folder,
        vocab=numbered("__null__", "__start__", "__end__", "__unk__", *names),
        merges="\n".join(["#version: 0.2", *merges, ""]),
        special=special,
        settings=special,
    )


def mbart50(folder):
    model, _ = sentencepieces()
    settings = {"tokenizer_class": "MBart50Tokenizer", "src_lang": None, "tgt_lang": None}
    return write(folder, bpe=model, settings=settings)


def mbart25(folder):
    # The reference leaves out the normalization of these.
    model, _ = sentencepieces(normalization_rule_name="identity")
    return write(folder, bpe=model, settings={"tokenizer_class": "MBartTokenizer"})


def nllb_json(folder):
    """Write the newer file with the languages in their places, which the reference reads right."""
    import transformers

    nllb(folder)
    reference = transformers.NllbTokenizer.from_pretrained(folder)
    content = json.loads(reference.backend_tokenizer.to_str())
    size = len(content["model"]["vocab"])
    content["added_tokens"] = [token for token in content["added_tokens"] if token["id"] < size]
    library = Tokenizer.from_str(json.dumps(content))
    library.add_special_tokens([*NLLB, AddedToken("<mask>", lstrip=True, normalized=True)])
    for name in ("special", "bpe"):
        (folder / NAMES[name]).unlink()
    return write(folder, serialized=library.to_str())


def nllb(folder):
    model, _ = sentencepieces("bpe")
    settings = {"tokenizer_class": "NllbTokenizer"}
    return write(folder, bpe=model, settings=settings, special={"additional_special_tokens": NLLB})


def plbart(folder, codes="base"):
    model, _ = sentencepieces("bpe")
    return write(folder, bpe=model, settings={"language_codes": codes})


def plbart_multi(folder):
    return plbart(folder, "multi")


def codet5(folder):
    pieces, merges = byte_pairs()
    sentinels = [f"<extra_id_{n}>" for n in reversed(range(10))]
    return write(
        folder,
        vocab=numbered("<pad>", "<s>", "</s>", "<unk>", "<mask>", *pieces, *sentinels),
        merges="\n".join(["#version: 0.2", *merges, ""]),
        settings={"tokenizer_class": "RobertaTokenizer", "additional_special_tokens": sentinels},
    )


def byt5(folder):
    return write(folder, settings={"tokenizer_class": "ByT5Tokenizer"})


def m2m100(folder):
    # A name that the model takes for a piece is still no text.
    model, pieces = sentencepieces("bpe", user_defined_symbols=["<pad>"])
    rest = [p for p in reversed(pieces[3:]) if p not in pieces[20:24]]
    return write(
        folder,
        bpe=model,
        vocab=numbered("<s>", "<pad>", "</s>", "<unk>", *rest),
        special={"additional_special_tokens": [f"__{code}__" for code in M2M100]},
        settings={"tokenizer_class": "M2M100Tokenizer", "num_madeup_words": 8},
    )


WHISPER_CODES = ("en", "zh", "de", "es", "ru", "ko", "fr", "haw", "yue")


def whisper(folder, timestamps=True, ordinary=None, codes=WHISPER_CODES):
    """Write a Whisper's vocabulary; ordinary: how many tokens stand before the special ones."""
    pieces, merges = byte_pairs()
    if ordinary is not None:
        pieces += [f"<{n}>" for n in range(ordinary - 2 - len(pieces))]
    codes = [f"<|{code}|>" for code in codes]
    tasks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    special = ["<|startoftranscript|>", *codes, *(f"<|{task}|>" for task in tasks)]
    vocab = numbered(*pieces, "", "<|endoftext|>")
    times = [f"<|{n * 0.02:.2f}|>" for n in range(1501)] if timestamps else []
    end = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    return write(
        folder,
        vocab=vocab,
        merges="\n".join(["#version: 0.2", *merges, ""]),
        added={name: len(vocab) + n for n, name in enumerate([*special, *times])},
        special=end | {"additional_special_tokens": ["<|endoftext|>", *special]},
        settings={"add_prefix_space": False, "model_max_length": 1024} | end,
    )


# name: (family, maker of the published files, the reference's class)
FAMILIES = {
    "marian": ("marian", marian, "MarianTokenizer"),
    "marian-multilingual": ("marian", marian_multilingual, "MarianTokenizer"),
    "marian-separate": ("marian", marian_separate, "MarianTokenizer"),
    "t5": ("t5", t5, "T5Tokenizer"),
    "pegasus": ("pegasus", pegasus, "PegasusTokenizer"),
    "bart": ("bart", bart, "BartTokenizer"),
    "blenderbot": ("blenderbot", blenderbot, "BlenderbotTokenizer"),
    "blenderbot-small": ("blenderbot-small", blenderbot_small, "BlenderbotSmallTokenizer"),
    "mbart50": ("mbart", mbart50, "MBart50Tokenizer"),
    "mbart25": ("mbart", mbart25, "MBartTokenizer"),
    "nllb": ("m2m_100", nllb, "NllbTokenizer"),
    "nllb-json": ("m2m_100", nllb_json, "NllbTokenizer"),
    "m2m100": ("m2m_100", m2m100, "M2M100Tokenizer"),
    "whisper": ("whisper", whisper, "WhisperTokenizer"),
}


class Case:
    """One family in one layout: our reading of a folder beside the reference's."""

    def __init__(self, name, folder):
        # Only those who ask for a case wait for the reference to be imported.
        import transformers

        transformers.logging.set_verbosity_error()
        self.family, _, kind = FAMILIES[name]
        self.folder = folder
        self.ours = read_tokenizer(folder, self.family, {})
        self.reference = getattr(transformers, kind).from_pretrained(folder)
        self.kind = getattr(transformers, kind)

    def expected(self, text, **settings):
        return self.reference(text, add_special_tokens=False, **settings).input_ids

    def saved(self):
        """Return what the folder's tokenizer.json holds."""
        return json.loads((self.folder / NAMES["serialized"]).read_text(encoding="utf-8"))
