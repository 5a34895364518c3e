"""The glossary: each term of the pages once, with its symbol, its source and where it can be seen.

Formulas are in LaTeX, without the dollar signs around them.
"""

from __future__ import annotations

from dataclasses import dataclass

from seq2seq.lessons.lesson import Link

ATTENTION = Link("pages/translation.py", "Translation", (("tab", "Attention"),))
BEAMS = Link("pages/translation.py", "Translation", (("tab", "Beam tree"),))
COMPARE = Link("pages/compare.py", "Compare architectures")
COPY = Link("pages/summarization.py", "Summarization", (("tab", "Probabilities"),))
FORCING = Link("pages/translation.py", "Translation", (("tab", "Teacher forcing"),))
INTERNALS = Link("pages/translation.py", "Translation", (("tab", "Step internals"),))
ATTRIBUTION = Link("pages/translation.py", "Translation", (("tab", "Attribution"),))
OVERVIEW = Link("pages/translation.py", "Translation", (("tab", "Overview"),))
PROBABILITIES = Link("pages/translation.py", "Translation", (("tab", "Probabilities"),))
TOKENS = Link("pages/translation.py", "Translation", (("tab", "Tokens"),))
WHAT_IF = Link("pages/translation.py", "Translation", (("tab", "What if"),))
BENCHMARKS = Link("pages/benchmarks.py", "Benchmarks")
COURSE = Link("pages/learn.py", "Course")
MAP = Link("pages/sentence_map.py", "Sentence map")
SPEECH = Link("pages/speech.py", "Speech to text")
SUMMARY = Link("pages/summarization.py", "Summarization")
VECTOR = Link("pages/context_vector.py", "Context vector")


@dataclass(frozen=True)
class Term:
    """name: as on the pages. symbol: in LaTeX, "" where there is none.

    definition: one sentence of plain text. source: paper, and section where these are numbered.
    link: a page that shows it.
    """

    name: str
    symbol: str
    definition: str
    source: str
    link: Link


_ARCHITECTURE = (
    Term(
        "encoder",
        r"f_\text{enc}",
        "The part of the model that reads the source and turns each of its tokens into a state.",
        "Cho et al. 2014, section 2.2",
        OVERVIEW,
    ),
    Term(
        "decoder",
        r"f_\text{dec}",
        "The part of the model that writes the output, one token at a time, each step reading the "
        "token before.",
        "Cho et al. 2014, section 2.2",
        OVERVIEW,
    ),
    Term(
        "encoder state",
        r"h_t",
        "The vector that the encoder computes at source token t, in a recurrent encoder from that "
        "token and the state before.",
        "Cho et al. 2014, section 2.1",
        VECTOR,
    ),
    Term(
        "final state",
        r"h_T",
        "The last encoder state, after the whole source has been read.",
        "Sutskever et al. 2014, section 2",
        VECTOR,
    ),
    Term(
        "context vector",
        r"c",
        "What the decoder gets of the source: the encoder's final state without attention, a "
        "weighted sum of all encoder states, c_t, at each step with it.",
        "Cho et al. 2014, section 2.2; Bahdanau et al. 2014, section 3.1",
        VECTOR,
    ),
    Term(
        "decoder state",
        r"s_t",
        "The vector that the decoder carries from step to step, its memory of what has been "
        "written.",
        "Bahdanau et al. 2014, section 3.1",
        INTERNALS,
    ),
    Term(
        "bottleneck",
        "",
        "The limit that one vector of fixed size sets to what a decoder without attention can know "
        "of a long source.",
        "Bahdanau et al. 2014, section 1",
        BENCHMARKS,
    ),
    Term(
        "bidirectional encoder",
        "",
        "Two recurrent encoders, one reading forward and one backward, whose states are put side "
        "by side at each token.",
        "Schuster and Paliwal 1997, section II; Bahdanau et al. 2014, section 3.2",
        COMPARE,
    ),
    Term(
        "RNN",
        r"s_t = \tanh(W x_t + U s_{t-1} + b)",
        "A recurrent network: it computes each state from the input of that step and the state "
        "before.",
        "Elman 1990",
        INTERNALS,
    ),
    Term(
        "LSTM",
        "",
        "A recurrent cell that carries a cell state beside its state, and gates that decide what "
        "is kept, added and shown.",
        "Hochreiter and Schmidhuber 1997, section 4",
        INTERNALS,
    ),
    Term(
        "cell state",
        r"C_t",
        "The part of an LSTM's memory that is changed by adding to it, so that it can last over "
        "many steps.",
        "Hochreiter and Schmidhuber 1997, section 4",
        INTERNALS,
    ),
    Term(
        "GRU",
        "",
        "A recurrent cell with two gates and no cell state: one mixes the old state with the new "
        "content, one decides how much of the old state that content sees.",
        "Cho et al. 2014, section 2.3",
        INTERNALS,
    ),
    Term(
        "gate",
        r"\sigma",
        "A number between 0 and 1 for each unit, computed at each step, that scales what passes.",
        "Hochreiter and Schmidhuber 1997, section 4; Gers et al. 2000, section 3",
        INTERNALS,
    ),
    Term(
        "pre-activation",
        r"W x_t + U s_{t-1} + b",
        "The weighted sum of a unit before its activation function, sigmoid or tanh, is applied.",
        "Goodfellow et al. 2016, section 6.3",
        INTERNALS,
    ),
    Term(
        "Transformer",
        "",
        "An encoder-decoder without recurrence: every token attends to others directly, in several "
        "layers and heads.",
        "Vaswani et al. 2017, section 3",
        COMPARE,
    ),
    Term(
        "feed-forward network",
        "",
        "Two linear layers with a nonlinearity between them, applied to each position of a "
        "Transformer by itself.",
        "Vaswani et al. 2017, section 3.3",
        INTERNALS,
    ),
    Term(
        "embedding",
        r"E[x_t]",
        "The learned vector that a token's id is looked up as.",
        "Vaswani et al. 2017, section 3.4",
        TOKENS,
    ),
    Term(
        "positional encoding",
        "",
        "A vector added to an embedding so that a Transformer can tell the order of tokens.",
        "Vaswani et al. 2017, section 3.5",
        INTERNALS,
    ),
    Term(
        "readout",
        r"r_t = \tanh(V[s_t; c_t])",
        "The vector of a step, made of decoder state and context vector, from which the logits "
        "are computed.",
        "Luong et al. 2015, section 3, equation 5",
        INTERNALS,
    ),
    Term(
        "input feeding",
        "",
        "The readout of a step is read by the next step, together with the token.",
        "Luong et al. 2015, section 3.3",
        INTERNALS,
    ),
    Term(
        "output layer",
        r"W_o r_t + b_o",
        "The last linear layer, which gives each token of the vocabulary a logit.",
        "Sutskever et al. 2014, section 2",
        INTERNALS,
    ),
    Term(
        "logit",
        r"o_t",
        "The score of a token before the softmax turns all scores into probabilities.",
        "Goodfellow et al. 2016, section 6.2.2.3",
        INTERNALS,
    ),
    Term(
        "softmax",
        r"e^{o_i} / \sum_k e^{o_k}",
        "The function that turns scores into positive numbers that sum to 1.",
        "Goodfellow et al. 2016, section 6.2.2.3",
        INTERNALS,
    ),
)

_ATTENTION = (
    Term(
        "attention score",
        r"e_{tj}",
        "How well source position j fits what decoding step t asks for, before the softmax.",
        "Bahdanau et al. 2014, section 3.1",
        INTERNALS,
    ),
    Term(
        "attention weight",
        r"\alpha_{tj}",
        "The share of source position j in the context vector of step t: the softmax of the "
        "attention scores of that step.",
        "Bahdanau et al. 2014, section 3.1",
        ATTENTION,
    ),
    Term(
        "additive attention",
        r"v^\top \tanh(W s + U h_j)",
        "Attention scores computed by a small network of decoder state and encoder state.",
        "Bahdanau et al. 2014, appendix A.1.2",
        INTERNALS,
    ),
    Term(
        "dot-product attention",
        r"s^\top h_j / \sqrt{d}",
        "Attention scores computed as the product of decoder state and encoder state, scaled by "
        "the square root of their size.",
        "Luong et al. 2015, section 3.1; Vaswani et al. 2017, section 3.2.1",
        INTERNALS,
    ),
    Term(
        "cross-attention",
        "",
        "Attention of the decoder to the encoder states.",
        "Vaswani et al. 2017, section 3.2.3",
        ATTENTION,
    ),
    Term(
        "self-attention",
        "",
        "Attention of the tokens of one text to each other; in the decoder it is masked, so that a "
        "token sees only those before it.",
        "Vaswani et al. 2017, section 3.2.3",
        ATTENTION,
    ),
    Term(
        "attention head",
        "",
        "One of several attentions that a layer computes side by side, each with weights of its "
        "own.",
        "Vaswani et al. 2017, section 3.2.2",
        ATTENTION,
    ),
    Term(
        "attention sink",
        "",
        "A token that receives much attention at every step, whatever is written.",
        "Xiao et al. 2024, section 3.1",
        ATTENTION,
    ),
    Term(
        "attention received",
        r"\sum_t \alpha_{tj}",
        "The attention that a source token receives from all decoding steps together, also called "
        "its coverage.",
        "Tu et al. 2016, section 3",
        ATTENTION,
    ),
    Term(
        "entropy",
        r"-\sum_j \alpha_{tj} \log_2 \alpha_{tj}",
        "How spread out the attention of a step is, in bits: 0 if it is all on one token.",
        "Shannon 1948, section 6",
        ATTENTION,
    ),
    Term(
        "attention override",
        "",
        "An attention row that the visitor sets in place of the model's own, to see what the model "
        "then writes.",
        "Jain and Wallace 2019, section 4.2",
        WHAT_IF,
    ),
    Term(
        "copy probability",
        r"p_\text{copy}",
        "The share of a step's probability that goes to tokens of the source, by attention, and "
        "not to the vocabulary: 1 minus the generation probability of the paper.",
        "See et al. 2017, section 2.2",
        COPY,
    ),
    Term(
        "leave-one-out",
        r"\Delta \log P",
        "By how much the log-probability of an output token falls when a source word is removed.",
        "Li, Monroe and Jurafsky 2016",
        ATTRIBUTION,
    ),
    Term(
        "gradient × input",
        r"\lvert \nabla_x \log P \cdot x \rvert",
        "The size of the gradient of an output token's log-probability times the embedding of a "
        "source token.",
        "Denil et al. 2014",
        ATTRIBUTION,
    ),
    Term(
        "over-translation",
        "",
        "A part of the source is translated more than once.",
        "Tu et al. 2016, section 1",
        ATTENTION,
    ),
    Term(
        "under-translation",
        "",
        "A part of the source is not translated at all.",
        "Tu et al. 2016, section 1",
        ATTENTION,
    ),
)

_DECODING = (
    Term(
        "token",
        r"x_t,\; y_t",
        "The unit that a model reads and writes: a word, a part of one, a letter or a mark.",
        "Jurafsky and Martin, chapter on words and tokens",
        TOKENS,
    ),
    Term(
        "subword",
        "",
        "A part of a word, learned from frequencies, so that a limited vocabulary can spell every "
        "word.",
        "Sennrich et al. 2016, section 3.2; Kudo 2018, section 3.2",
        TOKENS,
    ),
    Term(
        "end token",
        r"\texttt{</s>}",
        "The token with which a model ends its output.",
        "Sutskever et al. 2014, section 2",
        TOKENS,
    ),
    Term(
        "decoding step",
        r"t",
        "One pass through the decoder, which writes one token.",
        "Sutskever et al. 2014, section 2",
        OVERVIEW,
    ),
    Term(
        "candidate",
        "",
        "A token that a decoding step could write, with its probability.",
        "Sutskever et al. 2014, section 3.2",
        PROBABILITIES,
    ),
    Term(
        "token probability",
        r"P(y_t \mid y_{<t}, x)",
        "The probability of an output token, given the source and the tokens before it.",
        "Sutskever et al. 2014, section 2",
        PROBABILITIES,
    ),
    Term(
        "log P",
        r"\log P(y \mid x)",
        "The sum of the log-probabilities of all tokens of an output, in nats.",
        "Sutskever et al. 2014, section 3.2",
        PROBABILITIES,
    ),
    Term(
        "hypothesis",
        "",
        "An output, complete or not, that the search keeps.",
        "Sutskever et al. 2014, section 3.2",
        BEAMS,
    ),
    Term(
        "greedy search",
        "",
        "The most probable token is written at each step.",
        "Jurafsky and Martin, chapter on machine translation",
        BEAMS,
    ),
    Term(
        "beam search",
        "",
        "At each step the best hypotheses, as many as the beam is wide, are kept and continued.",
        "Sutskever et al. 2014, section 3.2",
        BEAMS,
    ),
    Term(
        "beam width",
        r"k",
        "How many hypotheses beam search keeps at each step.",
        "Sutskever et al. 2014, section 3.2",
        BEAMS,
    ),
    Term(
        "pruned",
        "",
        "Not among the best hypotheses of its step, and so not continued.",
        "Freitag and Al-Onaizan 2017, section 3",
        BEAMS,
    ),
    Term(
        "maximum mutual information",
        r"\lambda",
        "Complete outputs ranked by log P(output | source) - lambda log P(output), so that what is "
        "likely after any source comes last; log P(output) is the model's own after an empty one.",
        "Li et al. 2016, section 4.1",
        BEAMS,
    ),
    Term(
        "length penalty",
        r"\alpha",
        "The exponent of the length by which log P is divided: 0 favours short outputs, above 1 "
        "long ones.",
        "Wu et al. 2016, section 7, in a simpler form",
        BEAMS,
    ),
    Term(
        "coverage penalty",
        r"\beta",
        "How much the score of a hypothesis is lowered for source positions that received little "
        "attention.",
        "Wu et al. 2016, section 7, equation 14",
        BEAMS,
    ),
    Term(
        "search error",
        "",
        "The search returns an output although the model gives another one a better score.",
        "Stahlberg and Byrne 2019, section 1",
        BEAMS,
    ),
    Term(
        "sampling",
        "",
        "Each token is drawn at random with its probability.",
        "Holtzman et al. 2020, section 3",
        BEAMS,
    ),
    Term(
        "temperature",
        r"\tau",
        "The number that logits are divided by before the softmax: below 1 probable tokens become "
        "more probable.",
        "Holtzman et al. 2020, section 3.3",
        PROBABILITIES,
    ),
    Term(
        "top-k",
        "",
        "Sampling from the k most probable tokens only.",
        "Fan et al. 2018; Holtzman et al. 2020, section 3.2",
        PROBABILITIES,
    ),
    Term(
        "top-p",
        "",
        "Sampling from the fewest tokens whose probabilities sum to p.",
        "Holtzman et al. 2020, section 3.1",
        PROBABILITIES,
    ),
    Term(
        "blocked n-gram",
        "",
        "A sequence of n tokens that may not be written a second time in one output.",
        "Paulus et al. 2018, section 2.5",
        SUMMARY,
    ),
)

_TRAINING = (
    Term(
        "teacher forcing",
        "",
        "The decoder reads the tokens of a reference, as in training, instead of its own.",
        "Goodfellow et al. 2016, section 10.2.1",
        FORCING,
    ),
    Term(
        "free running",
        "",
        "The decoder reads the tokens that it has written itself.",
        "Bengio et al. 2015, section 1",
        FORCING,
    ),
    Term(
        "exposure bias",
        "",
        "A decoder trained on correct tokens only has not learned to go on after an error of its "
        "own.",
        "Ranzato et al. 2016, section 1",
        FORCING,
    ),
    Term(
        "loss",
        "",
        "The negative log-probability of the reference per token, which training makes small.",
        "Goodfellow et al. 2016, section 6.2.1",
        BENCHMARKS,
    ),
    Term(
        "perplexity",
        r"e^{\text{loss}}",
        "The exponential of the loss: among how many equally probable tokens the model would be as "
        "uncertain.",
        "Jurafsky and Martin, chapter on n-gram language models",
        BENCHMARKS,
    ),
    Term(
        "validation set",
        "",
        "Examples that a model is not trained on, for measuring it during training.",
        "Goodfellow et al. 2016, section 5.3",
        BENCHMARKS,
    ),
    Term(
        "overfitting",
        "",
        "The training loss still falls while the validation loss rises.",
        "Goodfellow et al. 2016, section 5.2",
        BENCHMARKS,
    ),
    Term(
        "vanishing gradient",
        "",
        "The gradient shrinks with every step that it passes back through, so that distant inputs "
        "are learned slowly or not at all.",
        "Bengio et al. 1994; Pascanu et al. 2013, section 2",
        COURSE,
    ),
)

_EVALUATION = (
    Term(
        "BLEU",
        "",
        "The share of an output's words and word sequences, up to four words, that are in the "
        "reference, lowered for outputs that are too short.",
        "Papineni et al. 2002, section 2.3",
        BENCHMARKS,
    ),
    Term(
        "chrF",
        "",
        "The F-score of the character sequences that output and reference share.",
        "Popović 2015, section 2",
        COMPARE,
    ),
    Term(
        "ROUGE-L",
        "",
        "The F-score of the longest sequence of words that output and reference have in common, "
        "in order.",
        "Lin 2004, section 3",
        SUMMARY,
    ),
    Term(
        "word error rate",
        "",
        "Substituted, deleted and inserted words, divided by the words of the reference.",
        "Jurafsky and Martin, chapter on speech recognition",
        SPEECH,
    ),
    Term(
        "compression",
        "",
        "A summary made by leaving words out of each sentence; those that stay keep their order.",
        "Filippova et al. 2015, section 1",
        SUMMARY,
    ),
    Term(
        "abstraction",
        "",
        "A summary that may say in words of its own what the text says.",
        "Rush et al. 2015, section 2",
        SUMMARY,
    ),
    Term(
        "fragment coverage",
        "",
        "The share of a summary's words that are copied from its text.",
        "Grusky et al. 2018, section 4",
        SUMMARY,
    ),
    Term(
        "fragment density",
        "",
        "The mean length of the copied phrase that a word of the summary belongs to.",
        "Grusky et al. 2018, section 4",
        SUMMARY,
    ),
    Term(
        "novel bigrams",
        "",
        "The share of a summary's neighbouring word pairs that are not neighbours in the text.",
        "See et al. 2017, section 7.2",
        SUMMARY,
    ),
    Term(
        "encoder frame",
        "",
        "A position of a speech encoder: a stretch of the recording, some hundredths of a second "
        "long.",
        "Radford et al. 2022, section 2.2",
        SPEECH,
    ),
    Term(
        "alignment",
        "",
        "The monotonic path through an attention matrix that collects the most weight, found by "
        "dynamic time warping.",
        "Sakoe and Chiba 1978, section II",
        SPEECH,
    ),
    Term(
        "state trajectory",
        "",
        "The states of one sentence in order, drawn as a path in two dimensions.",
        "Cho et al. 2014, section 4.4",
        MAP,
    ),
    Term(
        "nearest-neighbour probe",
        "",
        "The share of a sentence's nearest neighbours that have a feature in common with it, "
        "beside the share by chance.",
        "Conneau et al. 2018, section 2",
        MAP,
    ),
    Term(
        "principal directions",
        "",
        "The directions in which vectors vary most, ordered by how much.",
        "Pearson 1901",
        MAP,
    ),
)

GROUPS: dict[str, tuple[Term, ...]] = {
    "Architecture": _ARCHITECTURE,
    "Attention": _ATTENTION,
    "Decoding": _DECODING,
    "Training": _TRAINING,
    "Evaluation and analysis": _EVALUATION,
}
TERMS: dict[str, Term] = {term.name: term for terms in GROUPS.values() for term in terms}


def found(query: str) -> dict[str, list[Term]]:
    """Return the terms of each group that hold all words of a query; a term of that name alone."""
    asked = " ".join(query.split()).casefold()
    for term in TERMS.values():
        if term.name.casefold() == asked:
            return {name: [term] for name, terms in GROUPS.items() if term in terms}
    hits = {
        name: [term for term in terms if _holds(term, asked.split())]
        for name, terms in GROUPS.items()
    }
    return {name: terms for name, terms in hits.items() if terms}


def _holds(term: Term, words: list[str]) -> bool:
    text = f"{term.name} {term.symbol} {term.definition} {term.source}".casefold()
    return all(word in text for word in words)
