"""Lessons on what encoder-decoders are good at."""

from __future__ import annotations

from seq2seq.lessons.lesson import Control, Lesson, Link, ranges

LONG = (
    "Although it was late and we were tired, we decided to walk home through the empty streets of "
    "the town."
)

ADVANTAGES = (
    Lesson(
        "variable-length",
        "Input and output of any length",
        "Seq2seq models handle input and output sequences of variable length.",
        "A network with a fixed number of inputs has to cut or pad. An encoder applies one "
        "function again and again, hₜ = f(xₜ, hₜ₋₁), as often as there are tokens, and the "
        "decoder writes until it chooses EOS. The number of weights does not depend on either "
        "length.",
        "A model reads a text of 60 words. How many tokens does it write?",
        ranges(
            ("fewer than 20", 0, "the output would have a fixed size, whatever the input"),
            ("20 to 50", 20, "the model would leave out a good part of the text"),
            ("50 to 100", 50, "about as much as it read, since nothing in it has a fixed length"),
            ("it never stops", 100, "the decoder would have missed EOS"),
        ),
        (
            Control(
                "model",
                "Model",
                ("bilstm-attention-en-fr", "lstm-vanilla-en-fr", "transformer-en-fr"),
            ),
        ),
        "Whether what was written is right: text of 60 words is longer than almost all that these "
        "models have learnt from.",
        (
            Link(
                "pages/translation.py",
                "Translate a long sentence",
                (("text", LONG), ("checkpoint", "bilstm-attention-en-fr")),
            ),
        ),
    ),
    Lesson(
        "effective",
        "It works: translation, summaries, replies",
        "Seq2seq models are effective for translation, summarization and conversation.",
        "The decoder is a language model that is told what to say by the encoder. Trained on "
        "pairs, it learns which words follow and what they have to mean, at once. chrF compares "
        "letters with those of a translation that a person wrote: 100 for the same text. Summaries "
        "are held against ours, beside the simplest one, the first sentence. For a reply there is "
        "no one right answer: measured is whether it belongs to what was said.",
        "Four models translate 100 new sentences. What chrF does the best of them reach?",
        ranges(
            ("below 30", 0, "it would hardly do better than sentences that have nothing in common"),
            ("30 to 60", 30, "half of the letters in a row would differ from the person's"),
            ("60 to 90", 60, "most words are those that a person chose"),
            ("above 90", 90, "it would write almost letter by letter what a person wrote"),
        ),
        (),
        "How a reader would judge: there is one translation for each sentence, and another one may "
        "be as good. The sentences are everyday ones: names, numbers and technical words are "
        "harder. Twenty paragraphs and twenty messages tell large differences only, and a reply "
        "that belongs to a message may still be a poor one.",
        (
            Link("pages/compare.py", "Compare the models on one sentence", (("sentence", LONG),)),
            Link("pages/summarization.py", "Summarize a text"),
            Link("pages/chatbot.py", "Talk with the chatbot"),
            Link("pages/benchmarks.py", "Scores over thousands of sentences"),
        ),
    ),
    Lesson(
        "both-directions",
        "Reading in both directions",
        "A bidirectional encoder understands a word by what comes before it and what comes after.",
        "Read from left to right, hⱼ knows x₁ to xⱼ and nothing of what follows. A second pass "
        "from right to left gives each position both contexts: hⱼ = [forward; backward], each "
        "half as wide, so that the number of weights is about the same.",
        "On the same 100 sentences, how much chrF does reading both ways gain?",
        ranges(
            ("it loses", 0, "half the width for each direction would cost more than it brings"),
            ("0 to 5", 0, "a gain, as attention has made up for much of it already"),
            ("5 to 15", 5, "the meaning of many words would hang on what follows them"),
            ("more than 15", 15, "the model that reads one way would hardly be usable"),
        ),
        (),
        "Small differences: 100 sentences give an interval of several points, and Benchmarks has "
        "the same two models on more than a thousand. A half that is switched off is missed by a "
        "model that has learnt to lean on it; a model trained without it would lose less.",
        (
            Link("pages/benchmarks.py", "The same over many more sentences"),
            Link(
                "pages/context_vector.py",
                "Switch one direction off",
                (("checkpoint", "bilstm-attention-en-fr"), ("change", "Encoder halves")),
            ),
        ),
        on_figure=False,
    ),
    Lesson(
        "context-kept",
        "A vector that holds a sentence",
        "The context vector captures the meaning of the whole input.",
        "Without attention, the encoder's final state is all that the decoder gets: c = h_T, and "
        "in an LSTM the cell state beside it. Whatever is written must be in there. A linear probe "
        "is the simplest possible reader. It is fitted to the vectors of some sentences and asked "
        "about others: which tense, singular or plural, a question or not?",
        "How often is a linear probe right about a sentence whose vector is all it sees?",
        ranges(
            ("below 60 %", 0, "hardly better than guessing, which gets about 50 %"),
            ("60 to 80 %", 60, "some of the grammar would have been lost on the way"),
            ("80 to 95 %", 80, "about as much as the bare words tell"),
            (
                "above 95 %",
                95,
                "nearly all that was asked can be read from it by the simplest reader",
            ),
        ),
        (
            Control(
                "model",
                "Model",
                ("lstm-vanilla-en-fr", "gru-vanilla-en-fr", "rnn-vanilla-en-fr"),
            ),
        ),
        "The whole meaning: a few features were asked, and not who did what to whom. Nor that the "
        "decoder uses what the probe can read. The sentences are of a small grammar, where single "
        "words tell much (see the bag of words), and the probe reads h_T alone.",
        (
            Link(
                "pages/sentence_map.py",
                "See the vectors on a map",
                (("checkpoint", "lstm-vanilla-en-fr"),),
            ),
            Link(
                "pages/context_vector.py",
                "Do arithmetic with them",
                (("checkpoint", "lstm-vanilla-en-fr"),),
            ),
        ),
    ),
    Lesson(
        "many-domains",
        "One machine, many domains",
        "Seq2seq models are flexible: the same design serves text, speech and other sequences.",
        "Only the two ends differ: what makes vectors of the input, and which tokens there are to "
        "write. Between them, encoder, decoder and search are the same code.",
        "The same function decodes a sentence, a paragraph, a message, a word, a recording and a "
        "series of numbers. How many of the six outputs come to their end?",
        ranges(
            ("1 or 2", 0, "each domain would need a search of its own"),
            ("3 or 4", 3, "sound, or numbers, would be beyond a search made for words"),
            ("5", 5, "one of them would not fit"),
            ("all 6", 6, "the search does not know what its tokens stand for"),
        ),
        (),
        "How good the outputs are: each task's page and its scores say that.",
        (
            Link("pages/speech.py", "Speech to text"),
            Link("pages/summarization.py", "Summarization"),
            Link("pages/pronunciation.py", "Pronunciation"),
            Link("pages/forecasting.py", "Forecasting"),
        ),
        on_figure=False,
    ),
    Lesson(
        "attention-helps",
        "Attention",
        "With attention the decoder looks at all encoder states, which mitigates information loss.",
        "In place of one c there is a cₜ for each step: cₜ = Σ αₜⱼ hⱼ, where the weights αₜ = "
        "softmax(eₜ) say how well each source position fits what is written next. Two models "
        "with the same cell, width and data: one reads c at every step, the other looks with its "
        "new state and joins cₜ to it before the output.",
        "On sentences of 16 to 30 words, how much chrF does attention gain?",
        ranges(
            ("nothing", 0, "one vector would be enough for sentences of this length"),
            ("0 to 10", 0, "one vector would hold most of a long sentence"),
            ("10 to 40", 10, "one vector loses a good part, which attention finds again"),
            ("more than 40", 40, "nothing at all would come through one vector"),
        ),
        (Control("sentences", "Sentences", (60, 100, 20)),),
        "Why: the lessons on the bottleneck and on long dependencies look at that. And models with "
        "attention lose on long sentences as well: few of those that they have learnt from were "
        "that long.",
        (
            Link(
                "pages/translation.py",
                "Look at the attention",
                (("text", LONG), ("checkpoint", "lstm-attention-en-fr"), ("tab", "Attention")),
            ),
            Link(
                "pages/compare.py",
                "With and without, side by side",
                (("sentence", LONG),),
            ),
        ),
        on_figure=False,
    ),
    Lesson(
        "end-to-end",
        "Trained end to end",
        "Encoder and decoder are trained jointly, end to end, without features made by hand.",
        "One number, the loss on the target tokens, is differentiated with respect to every "
        "weight. Through the attention and the decoder, the gradient reaches the encoder and the "
        "embeddings too. Nobody told the model what a symbol is, or where to look.",
        "A small model with fresh weights learns to copy strings, in 400 steps. How many new "
        "strings does it copy without a mistake then?",
        ranges(
            ("fewer than 10 %", 0, "copying would need more time, or a better start"),
            ("10 to 50 %", 10, "it would be under way"),
            ("50 to 90 %", 50, "it would be most of the way"),
            ("more than 90 %", 90, "it has found out by itself where to look"),
        ),
        (
            Control("steps", "Steps of training", (400, 150, 800)),
            Control("width", "Width", (48, 24, 96)),
        ),
        "Copying strings of at most eight symbols is a toy; the models on the other pages took "
        "hours. And attention that lies on the right place is not always needed: a state of the "
        "encoder knows the symbols beside its own.",
        (
            Link(
                "pages/training.py",
                "Watch a training step by step",
                (("preset", "attention"),),
            ),
            Link("pages/benchmarks.py", "How the large models learnt"),
        ),
        on_figure=False,
    ),
)
