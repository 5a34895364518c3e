"""Lessons on how encoder-decoders work: they explain and show, and some measure something."""

from __future__ import annotations

from seq2seq.lessons.keras_example import PROGRAM
from seq2seq.lessons.lesson import Control, Lesson, Link, Section, ranges

# Greedy search goes wrong on it, and a beam of two does not.
BEAM_SENTENCE, BEAM_MODEL = "Nobody knew why the old man was laughing.", "gru-vanilla-en-fr"
BEAM_WIDTH = 2
FORCED_SENTENCE = "The old man is reading a book."
FORCED_REFERENCE = "Le vieil homme lit un livre."
FIRST_SENTENCE, FIRST_MODEL = "The black cat sleeps on the old chair.", "lstm-vanilla-en-fr"

FOUNDATIONS = (
    Lesson(
        "how-it-works",
        "How it works",
        "",
        "An encoder reads the input token by token and leaves a vector for what it has read. A "
        "decoder writes the output token by token, each from that vector, from its own state and "
        "from the token before.",
        "",
        (),
        (),
        "How the weights came about: the lessons on training look at that. Here they are fixed, "
        "and nothing is learnt while the model reads.",
        (
            Link(
                "pages/translation.py",
                "The same sentence, in detail",
                (("text", FIRST_SENTENCE), ("checkpoint", FIRST_MODEL)),
            ),
            Link("pages/compare.py", "Four architectures side by side"),
        ),
        sections=(
            Section(
                "From input to output",
                "Play the picture. What it shows is one run of a real model: each strip is a "
                "vector of that run, and the formulas beside it hold its numbers. Choose a step "
                "and follow one number through them: the probability of the chosen token.",
                "import seq2seq\n\n"
                f'checkpoint = seq2seq.load("{FIRST_MODEL}")\n'
                f'trace = seq2seq.run(checkpoint, "{FIRST_SENTENCE}")\n'
                "trace",
                "live picture",
            ),
            Section(
                "The formulas",
                "The encoder computes $h_j = f(x_j, h_{j-1})$ and, without attention, hands over "
                "$c = h_T$. The decoder computes $s_t = f(y_{t-1}, s_{t-1}, c)$ and "
                "$\\hat y_t = \\mathrm{softmax}(W_o s_t + b_o)$. With attention, each step has a "
                "$c_t = \\sum_j \\alpha_{tj} h_j$ of its own.",
                "from seq2seq.analysis.model_outline import outline\n"
                "from seq2seq.analysis.run_internals import run_internals\n"
                "from seq2seq.figures.step_formulas import Symbols, step_formulas\n\n"
                f'internals = run_internals(checkpoint, "{FIRST_SENTENCE}", trace)\n'
                "symbols = Symbols(trace, outline(checkpoint), internals)\n"
                "for line in step_formulas(symbols, step=1):\n"
                '    print(line["formula"], "|", line["numbers"])',
                "formulas",
            ),
            Section(
                "The flow, with this model's shapes",
                "Every box says what comes out of it. Only two numbers depend on the input: T, the "
                "tokens that are read, and how often the last boxes are run.",
                "seq2seq.figures.states(\n"
                '    trace.encoder_states, trace.source.pieces, "encoder states h_j"\n'
                ")",
                "workflow",
            ),
        ),
    ),
    Lesson(
        "beam-by-hand",
        "Beam search by hand",
        "",
        "The most probable output is a product over all steps, and the best first token need not "
        "lead to it. Greedy search keeps one hypothesis, a beam of two keeps two: those with the "
        "largest sums of log-probabilities so far. Here you are the search.",
        "",
        (),
        (),
        "Real beams are wider, and rank finished hypotheses by their sum divided by their length, "
        "since every further token makes a sum smaller.",
        (
            Link(
                "pages/translation.py",
                "The whole beam tree",
                (("text", BEAM_SENTENCE), ("checkpoint", BEAM_MODEL), ("tab", "Beam tree")),
            ),
            Link("pages/benchmarks.py", "Time and quality by beam width"),
        ),
        sections=(
            Section(
                "You are the search",
                "In each step, every hypothesis that you kept is continued by its three most "
                "probable tokens. Add the two log-probabilities in your head, keep one or two, and "
                "see what a beam of two did.",
                "import seq2seq\n"
                "from seq2seq.analysis.beam_by_hand import candidates\n\n"
                f'checkpoint = seq2seq.load("{BEAM_MODEL}")\n'
                f'text = "{BEAM_SENTENCE}"\n'
                "kept = ((),)\n"
                "for step in range(4):\n"
                "    found = candidates(checkpoint, text, kept, each=3)\n"
                "    found = sorted(found, key=lambda one: -one.cumulative)\n"
                "    for place, one in enumerate(found):\n"
                f"        mark = 'kept' if place < {BEAM_WIDTH} else 'pruned'\n"
                "        print(f'{step + 1}  {mark:6}  {one.cumulative:7.2f}  {one.text}')\n"
                f"    best = [one for one in found if not one.ended][:{BEAM_WIDTH}]\n"
                "    kept = tuple(one.tokens for one in best)",
                "beam",
            ),
            Section(
                "What a wider beam finds",
                "The same sentence, by greedy search and by beams of 2 and 10. A larger sum of "
                "log-probabilities is what a search looks for; whether the translation is better "
                "is another question.",
                "for width in (1, 2, 10):\n"
                "    trace = seq2seq.run(checkpoint, text, seq2seq.Options(beam_width=width))\n"
                "    print(width, f'{trace.log_probabilities.sum():.2f}', trace.text)",
                "beam widths",
            ),
        ),
    ),
    Lesson(
        "teacher-forcing",
        "Teacher forcing and exposure bias",
        "",
        "In training, the decoder reads the right token before each step, whatever it would have "
        "written itself: teacher forcing. All that the decoder reads is then known before: a "
        "Transformer computes all steps at once, a recurrent decoder still goes from state to "
        "state, but waits for no choice. And a mistake does not spoil the steps after it. But the "
        "decoder has never read a mistake of its own, and when it runs freely, it does: exposure "
        "bias.",
        "A model reads right translations in which one token is replaced by the most probable "
        "other one. How many of the next five tokens are no longer its first choice, of 100?",
        ranges(
            ("none", 0, "it would recover at once, as if nothing had happened"),
            ("up to 10", 1, "it would hardly be disturbed by a wrong token before"),
            ("10 to 40", 10, "after another token it often leaves the reference"),
            ("more than 40", 40, "one mistake would be the end of the sentence"),
        ),
        (
            Control(
                "model",
                "Model",
                ("bilstm-attention-en-fr", "lstm-vanilla-en-fr", "transformer-en-fr"),
            ),
        ),
        "How much of it is bias: after another word, another continuation can be the right one. "
        "And the model is measured on references, which are one translation of many.",
        (
            Link(
                "pages/translation.py",
                "The same, step by step",
                (
                    ("text", FORCED_SENTENCE),
                    ("checkpoint", "bilstm-attention-en-fr"),
                    ("tab", "Teacher forcing"),
                    ("reference", FORCED_REFERENCE),
                ),
            ),
        ),
        on_figure=False,
        sections=(
            Section(
                "Forced and free",
                "The same sentence twice: above, the model is made to read a reference token by "
                "token, as in training; below, it reads what it has written itself. Edit the "
                "reference, for instance put a wrong word into its middle.",
                "import seq2seq\n\n"
                'checkpoint = seq2seq.load("bilstm-attention-en-fr")\n'
                'source, reference = "Where is my key?", "Où est ma clé ?"\n'
                "forced = seq2seq.force(checkpoint, source, reference)\n"
                "free = seq2seq.run(checkpoint, source)\n"
                "for name, trace in (('forced', forced), ('free', free)):\n"
                "    print(name, [f'{p:.2f}' for p in trace.probabilities], trace.text)",
                "teacher forcing",
            ),
        ),
    ),
    Lesson(
        "keras-example",
        "The textbook's Keras program",
        "",
        "Textbooks print a dozen lines of Keras: an LSTM that returns its last state, a second one "
        "that starts from it, and a softmax over 10,000 words. It is a whole training model, and "
        "half of a translator.",
        "In that program the encoder's final state is only the decoder's first one. Our models "
        "get c = h_T at every step as well. How much chrF does ours lose without it?",
        ranges(
            ("nothing", 0, "the first state would carry all that is needed"),
            ("1 to 10", 1, "the first state would carry nearly all of it"),
            ("10 to 40", 10, "much of the source is read again at every step"),
            ("more than 40", 40, "the first state would be of no use at all"),
        ),
        (Control("model", "Model", ("lstm-vanilla-en-fr", "gru-vanilla-en-fr")),),
        "How a model would do that had been trained with c as first state only: it would keep more "
        "of c in its state. This one was trained with both, and loses one.",
        (
            Link(
                "pages/context_vector.py",
                "What is in c",
                (("checkpoint", "lstm-vanilla-en-fr"),),
            ),
        ),
        on_figure=False,
        sections=(
            Section(
                "The program",
                f"```python\n{PROGRAM}```",
                "import os\n\n"
                'os.environ["KERAS_BACKEND"] = "torch"\n'
                "import keras\n\n" + PROGRAM + "model.summary()",
            ),
            Section(
                "The same model of ours, layer by layer",
                "The LSTMs and the output layer are the same: each LSTM of ours counts 512 weights "
                "more, a second bias that changes nothing in what is computed. And ours has the "
                "two embeddings, which the program leaves out.",
                "from seq2seq.lessons.keras_example import layers, our_model\n\n"
                "counts = [layer.count_params() for layer in model.layers]\n"
                "known = [each.keras for each in layers() if each.keras]\n"
                "assert [*filter(None, counts)] == known\n"
                "for layer in layers():\n"
                '    print(f"{layer.name:24} {layer.keras:>9,} {layer.ours:>9,}  {layer.why}")',
                "keras layers",
            ),
            Section(
                "What it leaves out",
                "- **Embeddings.** The inputs are vectors of 256 numbers; where they come from is "
                "not said. With embeddings, more weights lie in them than in both LSTMs.\n"
                "- **An inference loop.** The decoder's input is the right output, known in "
                "training. To translate, the program would have to feed each chosen token back, "
                "which is another model around the same layers.\n"
                "- **Attention.** 128 numbers and as many of the cell hold the sentence.",
            ),
        ),
    ),
    Lesson(
        "model-names",
        "BERT, GPT, T5: which are encoder-decoders?",
        "",
        "Many well-known models are one half. An encoder reads a whole text, each position knowing "
        "what comes before and after, and writes nothing. A decoder writes, each token knowing "
        "only what comes before it. An encoder-decoder has both: what was read comes to the "
        "decoder by cross-attention, or in the first ones as one vector.",
        "A guess among 8,000 tokens costs 13 bits. The decoder of our Transformer is left alone, "
        "with zeros for all that the encoder read. How many bits a token does a right French "
        "sentence cost it?",
        ranges(
            ("less than 2", 0, "it would know the sentence without having been told"),
            ("2 to 8", 2, "it knows French, and not which sentence is meant"),
            ("8 to 12", 8, "it would hardly know French without a source"),
            ("12 or more", 12, "it would be lost without the other half"),
        ),
        (
            Control(
                "model",
                "Model",
                ("transformer-en-fr", "bilstm-attention-en-fr", "lstm-vanilla-en-fr"),
            ),
        ),
        "How good a decoder is that was trained alone, as GPT was: it has learnt to do without a "
        "source, and this one has not.",
        (
            Link("pages/sentence_map.py", "What an encoder alone can do: sentences on a map"),
            Link("pages/models.py", "Open T5, BART or Whisper here"),
        ),
        sections=(
            Section(
                "Five names",
                "Sort them first; each answer says what the model is and where that was published.",
                "from seq2seq.lessons.model_names import MODELS\n\n"
                "for model in MODELS:\n"
                '    print(f"{model.name:8} {model.kind:16} {model.trained}")',
                "model names",
            ),
            Section(
                "What each half can do",
                "| | reads | writes | good for |\n| --- | --- | --- | --- |\n"
                "| encoder | all at once, both ways | nothing | classes, tags, search by "
                "meaning |\n"
                "| decoder | from left to right | yes | continuing a text; the input is the "
                "beginning of the same text |\n"
                "| encoder-decoder | the input, mostly both ways; the output from left to right | "
                "yes | turning one sequence into another: translation, summaries, speech to text |",
            ),
        ),
    ),
)
