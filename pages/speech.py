"""Speech: record or upload a sentence; see what was heard, and when."""

import ui

ui.begin_page(__file__)
name, options, saved = ui.run_controls("speech", "Speech to text")
audio = ui.audio_input() if saved is None else None
ask = "Nothing heard yet: record a sentence, or upload one."
ui.show_run("speech", name, audio, options, saved, ask)
