import pytest

from tests.visit import SENTENCE, visit

pytestmark = pytest.mark.usefixtures("root")


@pytest.mark.parametrize("tab", ["Attention", "Probabilities"])
def test_the_menu_of_candidates_shows_the_token_that_its_button_inserts(tab):
    at = visit("translation", text=SENTENCE, tab=tab)
    menu = at.selectbox(key="other_token")
    menu.set_value(menu.options[-1]).run()
    at.slider(key="step").set_value(2).run()
    menu = at.selectbox(key="other_token")
    assert menu.value in menu.options
    # A browser shows what it is told to; what it is not told, it keeps from the step before.
    assert menu.proto.set_value
    assert menu.proto.raw_value == menu.value
    token = menu.value.partition(": ")[2]
    assert token in at.button(key="go_on_token").label
