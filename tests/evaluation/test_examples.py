import pytest

from seq2seq.catalogue import embedded
from seq2seq.cli.main import main
from seq2seq.evaluation.examples import check, default_checkpoints, reviewed, unreviewed
from ui.runtime.names import checkpoints_for
from ui.views.compare import FIRST, FIRST_SENTENCE

BY_CHECKPOINT = {
    name: [each for each in reviewed() if each.checkpoint == name]
    for name in dict.fromkeys(each.checkpoint for each in reviewed())
}


@pytest.mark.parametrize("name", BY_CHECKPOINT)
def test_every_example_is_written_as_a_reader_has_accepted_it(name):
    """Where weights have changed, read `seq2seq examples` and renew the list."""
    wrong = [found for found in check(BY_CHECKPOINT[name]) if not found.is_accepted]
    assert wrong == []


def test_every_example_of_a_default_checkpoint_is_reviewed():
    assert unreviewed() == []
    tasks = dict.fromkeys(card.task for card in embedded().values())
    assert default_checkpoints() == [checkpoints_for(task)[0] for task in tasks]


def test_the_models_that_compare_opens_with_and_that_attend_are_reviewed():
    known = {(each.checkpoint, each.source) for each in reviewed()}
    attending = [name for name in FIRST if "vanilla" not in name]
    assert {(name, FIRST_SENTENCE) for name in attending} <= known


def test_the_command_tells_what_was_not_accepted(root, monkeypatch, tmp_path, capsys):
    listed = tmp_path / "examples.tsv"
    listed.write_text("checkpoint\tsource\taccepted\nlstm-attention\tThe cat.\tNo such output\n")
    monkeypatch.setattr("seq2seq.evaluation.examples.REVIEWED", listed)
    assert main(["examples"]) == 0
    assert main(["examples", "--check"]) == 1
    said = capsys.readouterr().out
    assert "NOT ACCEPTED\tlstm-attention\tThe cat." in said
    assert "accepted: No such output" in said
    assert "NOT REVIEWED" in said
