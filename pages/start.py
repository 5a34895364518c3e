"""What this is, on one screen, with one live run."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Seq2Seq Explorer")
st.markdown(
    "An **encoder-decoder** reads a whole sentence, then writes another, one token at a time. "
    "Here you watch real models do it: what they write, how sure they are, what else they "
    "considered, and which words of the source they looked at. Every number on these pages was "
    "measured: on the run you see, or on whole trainings when the models were made."
)

name = ui.first_checkpoint("translation")
example = next(iter(ui.examples(name)), "")
text = ui.source_input("Type an English sentence, or keep this one", "sentence", example)
trace = ui.run(ui.Subject(name, text)) if name and text.strip() else None
if name and not text.strip():
    ui.empty_state("Nothing to read yet: type a sentence and press Enter.")
if trace is not None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.subheader("Output")
        ui.token_view(trace, "output")
        ui.timing(trace)
        st.markdown(
            "The stronger the colour of a token, the more probable the model found it. In the "
            "picture each row is a token it wrote; the stronger a cell, the more of its attention "
            "went to that token of the source."
        )
        ui.page_link("pages/translation.py", "See more of this run", text=text)
    with right:
        st.subheader("Attention")
        ui.attention_chart(trace, "attention")
