"""Every page and instrument on a dark phone and a light desk: no fault that axe knows."""

import pytest

from tests.conftest import PARAGRAPHS
from tests.served import FIGURE, HEATMAP, LIVE, check_accessible, link, opened

pytestmark = pytest.mark.browser

SENTENCE = "The old dog sleeps in the garden."
LONG = "The old dog sleeps in the garden. " * 8
TEXT = PARAGRAPHS.replace("\\n", "\n")
REFERENCE = "Le vieux chien dort au jardin."
LSTM = {"checkpoint": "lstm-attention", "text": SENTENCE, "max_length": 8}
TRANSFORMER = LSTM | {"checkpoint": "transformer"}
PLAIN = LSTM | {"checkpoint": "gru-plain"}
LATTICE = {"checkpoint": "summary-transformer", "text": TEXT, "max_length": 24}
HEARD = {"recording": "enter four seven nine", "said": "enter for nine and ten", "path": "true"}
VECTOR = {"b": "Where is the cat?"}
TITLE = "h1"
# By what it is called here: the page, what its address says, and what is there once it is drawn.
PLACES = {
    "start": ("", {"sentence": SENTENCE}, LIVE),
    "attention": ("translation", LSTM, HEATMAP),
    "context": ("translation", PLAIN, FIGURE),
    "ribbons": ("translation", TRANSFORMER | {"picture": "Ribbons"}, FIGURE),
    "heads": ("translation", TRANSFORMER | {"picture": "All heads"}, FIGURE),
    "blocks": ("translation", TRANSFORMER | {"text": LONG}, FIGURE),
    "probabilities": ("translation", LSTM | {"tab": "Probabilities"}, FIGURE),
    "beams": ("translation", LSTM | {"tab": "Beam tree", "branch": "61"}, FIGURE),
    "inside": ("translation", LSTM | {"tab": "Step internals", "word": 2}, FIGURE),
    "inside a transformer": ("translation", TRANSFORMER | {"tab": "Step internals"}, FIGURE),
    "forcing": ("translation", LSTM | {"tab": "Teacher forcing", "reference": REFERENCE}, FIGURE),
    "tokens": ("translation", LSTM | {"tab": "Tokens"}, FIGURE),
    "attribution": ("translation", LSTM | {"tab": "Attribution"}, FIGURE),
    "what if": (
        "translation",
        LSTM | {"tab": "What if", "muted": "3 dog", "preset": "Custom"},
        ".st-key-whatif .lines",
    ),
    "what if of a transformer": (
        "translation",
        TRANSFORMER | {"tab": "What if", "muted": "3 dog", "preset": "Custom"},
        ".st-key-whatif .lines",
    ),
    "no text": ("summarization", {}, TITLE),
    "summary": ("summarization", LATTICE | {"shade": "a word", "word": 5}, FIGURE),
    "no recording": ("speech", {"recording": "none"}, TITLE),
    "speech": ("speech", HEARD, HEATMAP),
    "pronunciation": ("pronunciation", {"text": "garden", "max_length": 8}, FIGURE),
    "compare": (
        "compare",
        {
            "sentence": SENTENCE,
            "reference": REFERENCE,
            "models": ["lstm-attention", "gru-plain", "rnn-additive", "transformer"],
        },
        f"{FIGURE} >> nth=3",
    ),
    "interpolate": (
        "context_vector",
        VECTOR | {"checkpoint": "gru-plain", "change": "Interpolate"},
        HEATMAP,
    ),
    "halves": (
        "context_vector",
        VECTOR | {"checkpoint": "rnn-additive", "change": "Encoder halves"},
        HEATMAP,
    ),
    "swap": ("context_vector", VECTOR | {"checkpoint": "transformer", "change": "Swap"}, HEATMAP),
    "sentence map": ("sentence_map", {}, ".scatterlayer"),
    "benchmarks": ("benchmarks", {}, TITLE),
    "models": ("models", {}, TITLE),
}
FIRST = ("attention", "models")


def places():
    """All places; those of FIRST are looked at in each run of the tests."""
    for name, place in PLACES.items():
        yield pytest.param(*place, id=name, marks=() if name in FIRST else pytest.mark.slow)


@pytest.mark.parametrize(("path", "query", "shown"), places())
def test_accessible_and_inside_the_screen(server, new_page, path, query, shown):
    page, address = new_page(width=375, colours="dark"), link(server, path, **query)
    check_accessible(opened(page, address, shown))
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    check_accessible(opened(page, address, shown))
