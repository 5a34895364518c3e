"""Answers side by side, and the measured value among them."""

import pytest

from seq2seq import figures
from seq2seq.lessons.course import LESSONS

LABELS = ("below 10 %", "10 to 40 %", "above 40 %")


@pytest.mark.parametrize("dark", [False, True])
def test_the_answer_is_filled_and_the_value_marked(dark):
    drawn = figures.prediction(LABELS, 1, 2.4, "50 %", dark)
    assert len(drawn.layout.shapes) == len(LABELS)
    filled = [place for place, box in enumerate(drawn.layout.shapes) if box.fillcolor]
    assert filled == [1]
    assert tuple(drawn.data[0].x) == (2.4,)
    texts = [each.text for each in drawn.layout.annotations]
    assert "<b>measured: 50 %</b>" in texts
    assert "your answer" in texts
    plain = [text.replace("<br>", " ") for text in texts]
    assert all(label in plain for label in LABELS)


def test_what_is_written_cannot_be_markup():
    drawn = figures.prediction(("<b>a</b>", "b"), 0, 0.5, "<i>1</i>")
    assert not any("<i>" in each.text or "<b>a" in each.text for each in drawn.layout.annotations)


def test_the_table_says_which_was_given_and_which_is_right():
    rows = figures.prediction_csv(LABELS, 1, 2, "50 %").splitlines()
    assert rows[1:] == ["below 10 %,False,", "10 to 40 %,True,", "above 40 %,False,50 %"]


@pytest.mark.parametrize("lesson", [one for one in LESSONS.values() if one.question])
@pytest.mark.parametrize("value", [-1e9, -3, 0, 0.2, 3, 12, 45, 97, 400, 1e9])
def test_a_value_lies_in_the_box_of_the_answer_that_is_right(lesson, value):
    right = lesson.choices.index(lesson.right(value))
    assert right < lesson.place(value) < right + 1
