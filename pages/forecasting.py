"""Forecasting: choose or bring a series; see its forecast, and which past each step looked at."""

import ui

ui.begin_page(__file__)
ui.forecasting_page("Forecasting")
