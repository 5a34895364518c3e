"""Links that no visitor of the page has made."""

import pytest

from tests.visit import visit
from ui.instruments import TABS
from ui.instruments.attention import WHICH
from ui.instruments.attention_editor import PRESETS
from ui.links import RENAMED
from ui.views.sentence_map import KINDS

SENTENCE = "The old dog sleeps in the garden."
NAMES = (
    "branch by_word column_sentence coverage_penalty early_stopping from_layer head mmi_weight "
    "inside_head layer length_penalty long_picture loosely mass max_length mmi_weight "
    "measured method min_length no_repeat_ngram node output paragraphs "
    "picture prefix pruned rank_coverage rank_length reference reference_step "
    "row_sentence scale seed shade step temperature top_k "
    "top_p unit which word beam_width "
)
TEXTS = {"prefix": "", "reference": ""}  # nothing is nonsense here
NONSENSE = ["", "x", "-1", "1e999", "9" * 400, "😀", "<b>**x**", "\x00", "²", "1.2.3."]


pytestmark = pytest.mark.usefixtures("root")


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
@pytest.mark.parametrize("name", ["lstm-attention", "transformer"])
def test_a_link_of_nonsense_still_shows_the_run(name, nonsense):
    tab = list(TABS)[NONSENSE.index(nonsense) % len(TABS)]
    query = dict.fromkeys(NAMES.split(), nonsense)
    at = visit("translation", checkpoint=name, text=SENTENCE, **query | {"tab": tab, **TEXTS})
    assert not at.exception
    assert not at.error
    assert at.slider(key="step").value >= 1


@pytest.mark.parametrize(
    "page", ["translation", "summarization", "chatbot", "pronunciation", "speech"]
)
def test_a_link_that_is_far_too_long_is_survived(page):
    at = visit(page, text="The cat. " * 20_000, word="1" * 9_000, branch="1." * 9_000)
    assert not at.exception


@pytest.mark.parametrize(
    ("name", "old", "checkpoint"),
    [
        (name, old, "transformer" if name == "which" else "lstm-attention")
        for name in ("tab", "which", "preset")
        for old in RENAMED[name]
    ],
)
def test_a_link_with_an_old_value_says_the_same_as_before(name, old, checkpoint):
    tab = {"which": "Attention", "preset": "What if"}
    query = {"tab": tab.get(name, ""), name: old}
    at = visit("translation", checkpoint=checkpoint, text=SENTENCE, **query)
    assert not at.exception
    new = RENAMED[name][old]
    assert at.query_params.get(name, new) == new  # a default leaves the address
    if name == "tab":
        assert any(heading.value.startswith("1. ") for heading in at.subheader)
    else:
        assert at.selectbox(key=name).value == new


def test_old_values_are_renamed_to_what_the_widgets_offer():
    assert set(RENAMED["tab"].values()) <= set(TABS)
    assert set(RENAMED["preset"].values()) <= set(PRESETS)
    assert set(RENAMED["which"].values()) <= set(WHICH)
    assert set(RENAMED["vector"].values()) <= set(KINDS)
    for values in RENAMED.values():
        assert not set(values) & set(values.values())
