"""The closing quiz: twelve questions, each about something that the visitor has measured."""

from __future__ import annotations

from typing import NamedTuple

QUIZ = "quiz"  # in addresses, where names of lessons stand


class QuizQuestion(NamedTuple):
    """lesson: whose measurement it is about. right: place of the answer. because: why it is."""

    lesson: str
    text: str
    answers: tuple[str, ...]
    right: int
    because: str


QUESTIONS = (
    QuizQuestion(
        "variable-length",
        "The input grew from 1 to 60 words. What else grew?",
        ("the number of weights", "the number of steps", "the size of the vocabulary"),
        1,
        "the same weights are applied once more for every token",
    ),
    QuizQuestion(
        "both-directions",
        "Why can the backward half help at the first word of a sentence?",
        (
            "it has read all words that follow",
            "it has more weights than the forward half",
            "it knows the translation",
        ),
        0,
        "read from right to left, the first word comes last",
    ),
    QuizQuestion(
        "context-kept",
        "A linear probe was right about tense most of the time. What does that prove?",
        (
            "that the decoder uses tense",
            "that tense can be read from the vector",
            "that the vector holds the whole sentence",
        ),
        1,
        "a probe shows what is there, not what is used, and only what it was asked for",
    ),
    QuizQuestion(
        "attention-helps",
        "On which sentences would you expect attention to gain most?",
        ("short ones", "long ones", "all alike"),
        1,
        "the longer the sentence, the more is lost in one vector of fixed size",
    ),
    QuizQuestion(
        "end-to-end",
        "What told the encoder of the copy model what to keep?",
        (
            "the gradient of the loss on the output",
            "labels for each of its states",
            "a second model that was trained before",
        ),
        0,
        "one loss is differentiated with respect to all weights, through the decoder",
    ),
    QuizQuestion(
        "bottleneck",
        "Which of these removes the bottleneck, whatever the length?",
        ("twice as many units", "attention", "a longer training"),
        1,
        "a wider vector only moves the limit; attention reads as many vectors as there are tokens",
    ),
    QuizQuestion(
        "training-cost",
        "A model has twice as many weights and reads twice as many tokens. What does it cost?",
        ("twice as much", "four times as much", "as much, on the same machine"),
        1,
        "operations are about six times weights times tokens, so both factors multiply",
    ),
    QuizQuestion(
        "data-needs",
        "With 100 pairs the loss on them fell to almost 0, and new numbers were read wrongly. Why?",
        (
            "the training was too short",
            "the pairs were learnt by heart and the rule was not",
            "the model was too small",
        ),
        1,
        "nothing in 100 pairs makes the rule cheaper to learn than the pairs",
    ),
    QuizQuestion(
        "latency",
        "Why can a Transformer compute all steps at once in training, and not in decoding?",
        (
            "training uses larger batches",
            "in training the right tokens are known before",
            "decoding uses other weights",
        ),
        1,
        "a step needs the token before it, which decoding has yet to choose",
    ),
    QuizQuestion(
        "overfitting",
        "Training loss falls, validation loss rises. What would help?",
        ("more steps", "more pairs, or stopping in time", "a larger model"),
        1,
        "with more pairs the rule is cheaper than learning them by heart, and before the turn the "
        "model is the best of its training",
    ),
    QuizQuestion(
        "teacher-forcing",
        "Which explanation of what follows a wrong token is called exposure bias?",
        (
            "the decoder has hardly ever read a wrong token in training",
            "the encoder reads it too",
            "the beam is too narrow",
        ),
        0,
        "under teacher forcing it has read right tokens only; that another continuation has become "
        "the right one is the other explanation",
    ),
    QuizQuestion(
        "keras-example",
        "Our model wrote worse when c was only its first state. What does that show?",
        (
            "a first state cannot carry a sentence",
            "this model relies on reading c at every step",
            "the encoder has forgotten the source",
        ),
        1,
        "it was trained to read c at every step; one with c as first state alone would keep more "
        "of it",
    ),
)
