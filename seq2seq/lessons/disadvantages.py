"""Lessons on what encoder-decoders are bad at, and what it costs."""

from __future__ import annotations

from seq2seq.lessons.advantages import LONG
from seq2seq.lessons.lesson import Control, Lesson, Link, ranges

WAITING = (
    "Although the weather was cold, my sister walked to the station, bought a ticket for the last "
    "train, and waited for more than an hour."
)

DISADVANTAGES = (
    Lesson(
        "bottleneck",
        "The bottleneck of one vector",
        "A context vector of fixed size is a bottleneck: details of long inputs are lost.",
        "Random strings are the hardest test of memory: no letter can be guessed from the others. "
        "Small models have learnt to repeat them, by the recipes in checkpoints/copying: of each "
        "width one whose decoder gets a single vector and one with attention. They read strings "
        "that they have not seen.",
        "Of strings of 12 letters, how many come without a mistake through one vector of 32 "
        "numbers?",
        ranges(
            ("below 20 %", 0, "most long strings lose a letter at least"),
            ("20 to 60 %", 20, "the vector would be large enough for every second string"),
            ("60 to 95 %", 60, "the vector would nearly be large enough"),
            ("above 95 %", 95, "32 numbers would hold 12 letters without loss"),
        ),
        (
            Control("width", "Width of the vector", (32, 64, 128, 256)),
            Control("strings", "Strings of each length", (40, 20, 80)),
        ),
        "What longer training would bring: a vector could hold more than its recipe has taught the "
        "model to put there, and 32 numbers have room for far more than 56 bits. Text has words "
        "that can be guessed from the others, so that more of a sentence comes through.",
        (
            Link("pages/benchmarks.py", "Several sentences at once", (("joined", "true"),)),
            Link(
                "pages/context_vector.py",
                "What is in a context vector",
                (("checkpoint", "lstm-vanilla-en-fr"),),
            ),
            Link("pages/training.py", "Train with and without attention"),
        ),
    ),
    Lesson(
        "training-cost",
        "Training is expensive",
        "Training needs much compute and time.",
        "Every target token costs about six operations for each weight (two forward, four back), "
        "and millions of tokens are read many times. A step of training is run now, its operations "
        "are counted and its time is taken.",
        "How many days would this machine need for the training of the Transformer (big) of 2017?",
        ranges(
            (
                "less than a week",
                0,
                "this machine would keep up with eight GPUs of 2016, or nearly",
            ),
            ("a week to a year", 7, "a patient person could do it at home"),
            ("1 to 10 years", 365, "out of reach, though not absurdly"),
            ("more than 10 years", 3_650, "such systems are trained on many accelerators at once"),
        ),
        (Control("rows", "Sentences in a step", (16, 8, 32)),),
        "A GPU, and larger batches, where the same operations run many times faster; and the days "
        "assume the best rate that was measured here, without pause.",
        (Link("pages/benchmarks.py", "What the models here took"),),
        on_figure=False,
    ),
    Lesson(
        "data-needs",
        "The need of data",
        "Seq2seq models need large amounts of paired data.",
        'Reading numbers ("three hundred four" to 304) follows a few rules that a person sees at '
        "once. A model with fresh weights knows nothing of words or digits: it has only the "
        "pairs. Each model trains for as many steps, on ever more of them.",
        "From 100 pairs, how many new numbers are read right?",
        ranges(
            ("below 10 %", 0, "the pairs are learnt by heart and the rule is not"),
            ("10 to 40 %", 10, "part of the rule would be found"),
            ("40 to 80 %", 40, "100 examples would nearly be enough"),
            ("above 80 %", 80, "it would learn as a person does"),
        ),
        (Control("steps", "Steps of training each", (400, 200, 800)),),
        "Models that were pretrained on other text need far fewer pairs; this one starts from "
        "nothing.",
        (Link("pages/benchmarks.py", "Translation from less data"),),
    ),
    Lesson(
        "long-dependencies",
        "Long dependencies",
        "Without attention, what lies far back is hard to learn and to keep.",
        "To reach the first word, the gradient goes back through every state between, multiplied "
        "by a matrix each time: it fades or explodes. Gates (LSTM, GRU) soften that; attention is "
        "a path of one step. Measured is how much of the effect on the output comes from where in "
        "the sentence, and whether a verb still agrees with a subject far back: in “The keys near "
        "the door fell”, is “tombaient” more probable than “tombait”, though “the door” is nearer? "
        "The model has read the French up to the verb, so that the number can come from the "
        "English subject or from the French one.",
        "How much of the effect has the first third of a long sentence, in an LSTM without "
        "attention?",
        ranges(
            ("less than 10 %", 0, "the beginning of a sentence would be as good as forgotten"),
            ("10 to 30 %", 10, "less than an even share, as it is the farthest from the decoder"),
            ("30 to 36 %", 30, "an even share: gates keep the beginning about as well as the rest"),
            ("more than 36 %", 36, "the beginning would count for more than the rest"),
        ),
        (Control("sentences", "Sentences", (6, 3, 12)),),
        "Forty pairs at each distance are few: with another seed, the verdict on agreement can be "
        "undecided. Which of the two subjects gave the verb its number is not told apart. A "
        "gradient tells what a small change would do, and not whether the model got the word "
        "right. Attribution, on each task's page, has two other measures beside it.",
        (
            Link(
                "pages/translation.py",
                "Attribution of one output",
                (("text", LONG), ("checkpoint", "lstm-vanilla-en-fr"), ("tab", "Attribution")),
            ),
            Link("pages/training.py", "An RNN that forgets", (("preset", "rnn-forgets"),)),
        ),
        on_figure=False,
    ),
    Lesson(
        "latency",
        "Slow to decode",
        "Decoding is sequential, and beam search makes it slower.",
        "Token yₜ cannot be chosen before yₜ₋₁: the decoder waits for itself, once for each "
        "token. A beam keeps several hypotheses and scores the next token of each. In training "
        "the output is known, so that no step waits for a choice, and a Transformer takes all at "
        "once.",
        "How many times as long as greedy search does a beam of 10 take?",
        ranges(
            ("1 to 1.5", 0, "the hypotheses would come for free"),
            ("1.5 to 5", 1.5, "they share each step's fixed cost, so that ten cost less than ten"),
            ("5 to 15", 5, "each hypothesis would cost as much as the first"),
            ("more than 15", 15, "keeping a beam would itself be the cost"),
        ),
        (
            Control(
                "model",
                "Model",
                ("transformer-en-fr", "bilstm-attention-en-fr", "rnn-vanilla-en-fr"),
            ),
        ),
        "Other machines: on a GPU the hypotheses of a beam share each step, and ten cost little "
        "more than one. And forty sentences tell only large differences in quality.",
        (
            Link(
                "pages/translation.py",
                "The beam as a tree",
                (("text", WAITING), ("checkpoint", "transformer-en-fr"), ("tab", "Beam tree")),
            ),
            Link(
                "pages/benchmarks.py",
                "Your own sentence, beam by beam",
                (("timed", "true"),),
            ),
        ),
        on_figure=False,
        sentence=WAITING,
    ),
    Lesson(
        "overfitting",
        "Overfitting",
        "With little data and no regularisation, the models overfit.",
        "A model with tens of thousands of weights can learn 100 pairs by heart. Its training loss "
        "then goes to 0, while on pairs that it has not seen it grows surer of wrong answers. "
        "Dropout switches off random units in each step, so that no single one can be relied on; "
        "whether that is enough here is measured beside it.",
        "After 500 steps on 100 pairs, how far apart are the losses on new and on known pairs?",
        ranges(
            ("not at all", 0, "it would have learnt the rule instead of the pairs"),
            ("0.1 to 0.3 nats", 0.1, "it would have learnt most of the rule"),
            ("0.3 to 3 nats", 0.3, "new numbers surprise it, known ones do not"),
            ("more than 3 nats", 3, "it would be certain of wrong digits"),
        ),
        (
            Control("pairs", "Pairs", (100, 200, 1_000)),
            Control("dropout", "Dropout", (0.4, 0.2, 0.6)),
        ),
        "Other remedies: more pairs, stopping in time, smaller models, label smoothing. One "
        "training is one draw: where the loss turns differs from seed to seed, and so does "
        "whether dropout helps. Run it with other seeds before you believe either.",
        (
            Link("pages/benchmarks.py", "Overfitting of a translation model"),
            Link("pages/training.py", "Overfit on purpose", (("preset", "overfit"),)),
        ),
        on_figure=False,
    ),
)
