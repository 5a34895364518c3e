"""The course: a claim, a prediction, a measurement, a verdict."""

import ui

ui.begin_page(__file__)
ui.learn_page()
