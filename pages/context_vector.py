"""Context vector: the vector of a sentence, edited and decoded."""

import ui

ui.begin_page(__file__)
ui.context_vector_page(
    "Context vector",
    "A recurrent encoder reads a sentence into its final state: the context vector h_T, and in an "
    "LSTM the cell state beside it. Without attention that is all that the decoder gets of the "
    "sentence: inspect it, edit it, and decode from it.",
)
