"""Speech to text: record or upload a sentence; see the transcript and its alignment."""

import ui

ui.begin_page(__file__)
name, options, saved = ui.run_controls("speech", "Speech to text")
audio = ui.audio_input(name) if saved is None else None
ask = "Record a sentence or upload a recording."
ui.show_recording(name, audio, options, saved, ask)
