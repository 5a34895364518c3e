"""Who is still there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from streamlit import runtime


def presence() -> Callable[[], bool]:
    """Return what tells, from any thread, whether this visitor has a page open in a browser."""
    if runtime.exists():
        from streamlit.runtime.scriptrunner import get_script_run_ctx

        if context := get_script_run_ctx():
            return partial(runtime.get_instance().is_active_session, context.session_id)
    return lambda: False
