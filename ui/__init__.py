"""What the pages share: runs, controls, instruments, components. The only Streamlit code there is
outside the pages, and the only caches.

Heavy imports happen inside functions, so that a page paints before they run.
"""

from ui.components import output_tokens
from ui.controls import (
    empty_state,
    examples,
    first_checkpoint,
    page_link,
    recording,
    run_controls,
    source_input,
)
from ui.frame import begin_page, show_menu
from ui.instruments import attention_chart, instruments, timing
from ui.runs import reopen, run, warm_up
from ui.shelf import capabilities, intake, shelf
from ui.task import show_run, text_task

__all__ = [
    "attention_chart",
    "begin_page",
    "capabilities",
    "empty_state",
    "examples",
    "first_checkpoint",
    "instruments",
    "intake",
    "output_tokens",
    "page_link",
    "recording",
    "reopen",
    "run",
    "run_controls",
    "shelf",
    "show_menu",
    "show_run",
    "source_input",
    "text_task",
    "timing",
    "warm_up",
]
