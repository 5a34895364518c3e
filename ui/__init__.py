"""What the pages share: runs, controls, instruments, components. The only Streamlit code there is
outside the pages, and the only caches.

Heavy imports happen inside functions, so that a page paints before they run.
"""

from ui.components import output_tokens
from ui.controls import (
    empty_state,
    example_chips,
    examples,
    first_checkpoint,
    page_link,
    run_controls,
    source_input,
)
from ui.frame import begin_page, show_menu
from ui.instruments import attention_chart, instruments, timing
from ui.runs import reopen, run, warm_up

__all__ = [
    "attention_chart",
    "begin_page",
    "empty_state",
    "example_chips",
    "examples",
    "first_checkpoint",
    "instruments",
    "output_tokens",
    "page_link",
    "reopen",
    "run",
    "run_controls",
    "show_menu",
    "source_input",
    "timing",
    "warm_up",
]
