"""Context vector: the vector of a sentence, edited and decoded."""

import ui

ui.begin_page(__file__)
ui.context_vector_page(
    "Context vector",
    "A recurrent encoder reads a sentence into one vector, its final state h_T. Without attention "
    "that context vector is all that the decoder gets of the sentence: inspect it, edit it, and "
    "decode from it.",
)
