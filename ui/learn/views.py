"""What the sections of lessons show, by the names that lessons give it."""

from __future__ import annotations

from collections.abc import Callable

from seq2seq.lessons.lesson import Lesson
from ui.learn import beam_by_hand, forced_and_free, how_it_works, keras_layers, name_sorting

VIEWS: dict[str, Callable[[Lesson], None]] = {
    "live picture": how_it_works.show_picture,
    "formulas": how_it_works.show_formulas,
    "workflow": how_it_works.show_workflow,
    "beam": beam_by_hand.show_search,
    "beam widths": beam_by_hand.show_widths,
    "teacher forcing": forced_and_free.show,
    "keras layers": keras_layers.show,
    "model names": name_sorting.show,
}
