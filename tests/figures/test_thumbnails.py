import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from seq2seq.figures.theme import mix, palette
from seq2seq.figures.thumbnails import (
    HEIGHT,
    MOST,
    WIDTH,
    bars_thumbnail,
    matrix_thumbnail,
    states_thumbnail,
)


def rectangles(drawn):
    return [each.attrib for each in ET.fromstring(drawn)]


@pytest.mark.parametrize("dark", [False, True])
def test_a_matrix_has_a_cell_for_each_weight(dark):
    weights = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    cells = rectangles(matrix_thumbnail(weights, dark))
    scale = palette(dark).attention
    assert [cell["fill"] for cell in cells[:2]] == [mix(scale, 1), mix(scale, 0)]
    assert len(cells) == 6
    assert cells[4]["fill"] == cells[5]["fill"] != cells[3]["fill"]


def test_a_long_text_is_drawn_from_its_start():
    assert len(rectangles(matrix_thumbnail(np.ones((40, 90))))) == MOST**2


def test_states_are_drawn_around_0():
    cells = rectangles(states_thumbnail(np.array([[2.0, -2.0], [0.0, 1.0]])))
    low, middle, high = (colour for _, colour in palette(False).diverging)
    assert [cell["fill"] for cell in cells[:3]] == [high, middle, low]


def test_bars_are_as_high_as_their_scores():
    bars = rectangles(bars_thumbnail([50.0, 25.0]))
    assert [float(bar["height"]) for bar in bars] == [HEIGHT, HEIGHT / 2]
    assert float(bars[1]["x"]) == WIDTH / 2


def test_nothing_but_numbers_and_colours_is_in_it():
    for drawn in (matrix_thumbnail(np.ones((2, 2))), bars_thumbnail([1.0])):
        assert not re.sub(r"<[^>]*>", "", drawn)
