"""What the pages share: runs, controls, instruments, components. The only Streamlit code there is
outside the pages, and the only caches.

Heavy imports happen inside functions, so that a page paints before they run.
"""

from ui.chat.chat import chat_page
from ui.components import token_view
from ui.inputs.audio_input import audio_input
from ui.inputs.task_controls import first_checkpoint, run_controls
from ui.inputs.text_input import empty_state, examples, source_input
from ui.instruments import instruments
from ui.instruments.attention import attention_chart
from ui.instruments.run_summary import timing
from ui.learn.course import learn_page
from ui.links import page_link
from ui.page import begin_page, show_menu
from ui.runtime.runs import Subject, run, warm_up
from ui.training_lab.lab import training_page
from ui.views.benchmarks import benchmarks_page
from ui.views.compare import compare_page
from ui.views.context_vector import context_vector_page
from ui.views.forecasting import forecasting_page
from ui.views.glossary import glossary_page
from ui.views.long_recording import show_recording
from ui.views.model_list import model_list
from ui.views.models import capabilities, intake
from ui.views.sentence_map import sentence_map_page
from ui.views.start import start_page
from ui.views.summary import read_summary
from ui.views.task import show_run, text_task

__all__ = [
    "Subject",
    "attention_chart",
    "audio_input",
    "begin_page",
    "benchmarks_page",
    "capabilities",
    "chat_page",
    "compare_page",
    "context_vector_page",
    "empty_state",
    "examples",
    "first_checkpoint",
    "forecasting_page",
    "glossary_page",
    "instruments",
    "intake",
    "learn_page",
    "model_list",
    "page_link",
    "read_summary",
    "run",
    "run_controls",
    "sentence_map_page",
    "show_menu",
    "show_recording",
    "show_run",
    "source_input",
    "start_page",
    "text_task",
    "timing",
    "token_view",
    "training_page",
    "warm_up",
]
