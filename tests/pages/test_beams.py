import shutil

import numpy as np
import pytest

from seq2seq import figures
from seq2seq.checkpoint import load
from seq2seq.decoding.options import Options
from seq2seq.figures.beam_tree import candidates, join, steps_shown
from seq2seq.inference.pipeline import run
from tests.visit import SENTENCE, charts, messages, visit
from ui.components.outputs_list import text_parts

KINDS = ["lstm-attention", "gru-plain", "rnn-additive", "transformer"]


pytestmark = pytest.mark.usefixtures("root")


def tree_page(name="lstm-attention", **query):
    return visit("translation", checkpoint=name, text=SENTENCE, tab="Beam tree", **query)


# --- the tree


@pytest.mark.parametrize("method", ["beam", "greedy", "sample"])
def test_a_joined_tree_holds_every_candidate_and_every_output(checkpoint, method):
    trace = run(checkpoint, SENTENCE, Options(method=method, beam_width=4, max_length=9))
    tree = join(trace)
    assert sum(node.times for node in tree.nodes) == len(trace.beam_pieces)
    assert (len(tree.nodes) == len(trace.beam_pieces)) or method == "sample"
    places = {(node.parent, node.token) for node in tree.nodes}
    assert len(places) == len(tree.nodes)
    for name, path in tree.paths.items():
        assert list(path) == tree.path(path[-1])
        if int(name) <= len(trace.outputs):
            output = trace.outputs[int(name) - 1]
            assert tuple(tree.nodes[number].piece for number in path) == output.pieces
    assert len({tree.name(number) for number in range(len(tree.nodes))}) == len(tree.nodes)


@pytest.mark.parametrize("pruned", [True, False])
def test_no_two_nodes_of_a_tree_share_a_place_and_no_edges_cross(checkpoint, pruned):
    options = Options(beam_width=5, max_length=12)
    trace = run(checkpoint, SENTENCE, options)
    other = int(trace.alternatives.ids[2][1])
    begun = (*trace.target.ids[:2], other)
    branched = run(checkpoint, SENTENCE, Options(beam_width=5, max_length=12, prefix_tokens=begun))
    tree = join(trace, {"A": branched})
    drawn = figures.beam_tree(tree, "A", 2, 0, pruned)
    points = next(each for each in drawn.data if each.customdata is not None)
    numbers = [number for (number,) in points.customdata]
    places = dict(zip(numbers, zip(points.x, points.y, strict=True), strict=True))
    assert sorted(numbers) == sorted(candidates(tree, steps_shown(tree, 2, pruned), pruned))
    assert len(set(places.values())) == len(places)
    assert all(tree.nodes[number].step + 1 == x for number, (x, _) in places.items())
    assert set(tree.paths["A"]) <= set(numbers)
    edges = [
        (x, places[tree.nodes[number].parent][1], y)
        for number, (x, y) in places.items()
        if tree.nodes[number].parent in places
    ]
    for x, start, end in edges:
        for other_x, other_start, other_end in edges:
            assert x != other_x or (start - other_start) * (end - other_end) >= 0
    best = [places[number][1] for number in tree.paths["1"] if number in places]
    assert best == [0] * len(best)


def test_of_a_long_output_the_steps_around_the_selected_one_are_drawn(checkpoint):
    options = Options(beam_width=10, max_length=60, min_length=59)
    tree = join(run(checkpoint, SENTENCE, options))
    for step in (0, 30, 59):
        steps = steps_shown(tree, step)
        assert step in steps
        assert len(candidates(tree, steps)) < 300
        assert len(figures.beam_tree(tree, "1", step).data) < 40
    assert len(steps_shown(tree, 30, pruned=False)) > len(steps_shown(tree, 30))


def test_a_branch_shares_the_beginning_with_the_tree(checkpoint):
    trace = run(checkpoint, SENTENCE, Options(beam_width=3, max_length=9))
    begun = (*trace.target.ids[:3], int(trace.alternatives.ids[3][1]))
    branched = run(checkpoint, SENTENCE, Options(beam_width=3, max_length=9, prefix_tokens=begun))
    tree = join(trace, {"A": branched})
    assert tree.paths["A"][:3] == tree.paths["1"][:3]
    assert tree.tokens(tree.paths["A"][3]) == begun
    assert {tree.nodes[number].branch for number in tree.paths["1"]} == {""}
    csv = figures.beam_tree_csv(tree).splitlines()
    assert len(csv) == 1 + len(tree.nodes)


def test_what_differs_is_marked():
    parts = text_parts(("▁the", "▁big", "▁cat"), ("▁the", "▁cat"))
    assert [part["text"] for part in parts if part["mark"] == "first"] == ["big"]
    assert "".join(part["text"] for part in parts) == " the big cat"
    missing = text_parts(("▁the", "▁cat"), ("▁the", "▁big", "▁cat"))
    assert [part["text"] for part in missing if part["mark"]] == ["cat"]
    assert not any(part["mark"] for part in text_parts(("▁a",), ("▁a",)))


# --- the page


@pytest.mark.parametrize("method", ["Beam", "Greedy", "Sample"])
@pytest.mark.parametrize("name", KINDS)
def test_a_node_leads_on_with_every_method(name, method):
    at = tree_page(name, method=method, step="2", max_length="9")
    assert not at.exception
    node = at.selectbox(key="node")
    node.set_value(node.options[-1]).run()
    assert not at.exception
    at.button(key="go_on_node").click().run()
    assert not at.exception
    assert not at.error
    assert at.selectbox(key="output").value == "A"
    assert len(at.query_params["branch"]) >= 1
    assert any("A" in row for row in at.dataframe[0].value["name"])


@pytest.mark.parametrize(
    "branch", ["", "x", "-3", "1.2.x", "999999", "99999999999999", "3.3.3", "²", "1." * 600 + "1"]
)
def test_a_nonsense_branch_in_a_link_is_ignored_without_a_word(branch):
    at = tree_page(branch=branch, output="A")
    assert not at.exception
    assert not messages(at)
    assert charts(at)


def test_another_text_forgets_the_branches():
    at = tree_page()
    at.button(key="go_on_node").click().run()
    assert "branch" in at.query_params
    at.text_area(key="text").set_value("The cat sleeps.").run()
    assert not at.exception
    assert "branch" not in at.query_params
    assert at.selectbox(key="output").value == "1"


def test_an_alternative_leads_on():
    at = visit("translation", text=SENTENCE, tab="Probabilities", step="2")
    at.button(key="go_on_token").click().run()
    assert not at.exception
    assert at.selectbox(key="output").value == "A"
    begun = at.query_params["branch"]
    assert len((begun if isinstance(begun, str) else begun[0]).split(".")) == 2


@pytest.mark.parametrize("name", ["rnn-additive", "lstm-attention"])
def test_a_model_that_copies_shows_how_much(name):
    at = visit("translation", text=SENTENCE, tab="Probabilities", checkpoint=name)
    assert not at.exception
    titles = [each.value for each in at.subheader]
    assert ("Copy probability" in titles) == (name == "rnn-additive")


def test_a_branch_may_end_at_once(root):
    eos = load(root / "lstm-attention").model.config.eos
    at = tree_page(branch=f"5.{eos}", output="A")
    assert not at.exception
    assert at.selectbox(key="output").value == "A"
    named = at.dataframe[0].value
    assert named["tokens"][[("A" in name) for name in named["name"]].index(True)] == 2


def test_a_ranking_by_mutual_information_is_explained_and_shows_what_was_taken_off():
    at = tree_page(mmi_weight="0.5")
    assert any("λ = 0.5" in caption.value for caption in at.caption)
    assert not any("search error" in caption.value for caption in at.caption)
    table = at.dataframe[0].value
    found = table["log P"] - table["λ log P without source"]
    np.testing.assert_allclose(found / table["tokens"], table["score"], atol=2e-3)
    assert not any("λ = " in caption.value for caption in tree_page().caption)


def test_other_penalties_rank_anew_and_their_own_ones_do_not():
    at = tree_page(max_length="3")  # so short that not all of the source is looked at
    table = at.dataframe[0].value
    assert list(table["score"]) == sorted(table["score"], reverse=True)
    assert list(table["score"]) == list(table["search score"])
    assert not any(table["moved"])
    at.slider(key="rank_length").set_value(0.0).run()
    table = at.dataframe[0].value
    np.testing.assert_allclose(table["score"], table["log P"])
    assert list(table["score"]) == sorted(table["score"], reverse=True)
    at.slider(key="rank_coverage").set_value(0.5).run()
    assert not at.exception
    assert all(at.dataframe[0].value["score"] < at.dataframe[0].value["log P"])


def test_a_better_output_outside_the_beam_is_a_search_error():
    at = visit("translation", checkpoint="lstm-attention", text=SENTENCE, tab="Beam tree")
    best = max(at.dataframe[0].value["score"])
    said = [caption.value for caption in at.caption if "search error" in caption.value]
    said += [warning.value for warning in at.warning if "search error" in warning.value]
    assert said
    assert any(f"{best:.3f}" in sentence for sentence in said)
    # Sampling looks for nothing, so it misses nothing.
    at = visit("translation", text=SENTENCE, tab="Beam tree", method="Sample")
    assert not any("search error" in caption.value for caption in at.caption)


def test_a_reference_that_the_model_prefers_is_a_search_error(root):
    checkpoint = load(root / "lstm-attention")
    options = Options(method="sample", beam_width=10, max_length=6)
    drawn = run(checkpoint, SENTENCE, options).text
    at = tree_page(method="Greedy", length_penalty="0.0", reference=drawn or "Le chat")
    assert not at.exception
    both = [each.value for each in (*at.caption, *at.warning) if "eference scores" in each.value]
    assert len(both) == 1


def test_a_model_without_attention_has_no_coverage_to_rank_by():
    at = tree_page("gru-plain")
    assert at.slider(key="rank_coverage").disabled
    assert any("no attention" in caption.value for caption in at.caption)


def test_a_saved_run_without_its_model_shows_its_tree(trace, root):
    shutil.rmtree(root / "transformer")
    shutil.rmtree(root / "rnn-additive")
    shutil.rmtree(root / "gru-plain")
    at = tree_page(branch="5.6")
    saved = trace.to_json().replace(trace.checkpoint.encode(), b"gone")
    at.get("file_uploader")[0].set_value(("run.json", saved, "application/json")).run()
    assert not at.exception
    assert not at.error
    assert at.button(key="go_on_node").disabled
    assert len(at.dataframe[0].value) >= len(trace.outputs)


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_a_run_says_what_it_was_computed_in(precision, root):
    card = root / "lstm-attention" / "card.toml"
    text = card.read_text(encoding="utf-8")
    card.write_text(f'{text}precision = "{precision}"\n', encoding="utf-8")
    at = visit("translation", checkpoint="lstm-attention", text=SENTENCE, tab="Beam tree")
    assert not at.exception
    summary = next(each for each in at.caption if "log P" in each.value)
    assert f"all in {precision}" in summary.help
