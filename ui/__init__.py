"""What the pages share: runs, controls, instruments, components. The only Streamlit code there is
outside the pages, and the only caches.

Heavy imports happen inside functions, so that a page paints before they run.
"""

from ui.address import page_link
from ui.chat import chat
from ui.components import reading
from ui.controls import first_checkpoint, run_controls
from ui.frame import begin_page, show_menu
from ui.instruments import instruments
from ui.instruments.attention import attention_chart
from ui.instruments.words import timing
from ui.lab import lab_page
from ui.map import sentence_map_page
from ui.measured import measured_page
from ui.race import race_page
from ui.recording import recording
from ui.runs import Subject, run, warm_up
from ui.shelf import capabilities, intake, shelf
from ui.summary import read_summary
from ui.task import show_run, text_task
from ui.typed import empty_state, examples, source_input

__all__ = [
    "Subject",
    "attention_chart",
    "begin_page",
    "capabilities",
    "chat",
    "empty_state",
    "examples",
    "first_checkpoint",
    "instruments",
    "intake",
    "lab_page",
    "measured_page",
    "page_link",
    "race_page",
    "read_summary",
    "reading",
    "recording",
    "run",
    "run_controls",
    "sentence_map_page",
    "shelf",
    "show_menu",
    "show_run",
    "source_input",
    "text_task",
    "timing",
    "warm_up",
]
