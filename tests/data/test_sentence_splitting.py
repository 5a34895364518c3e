from seq2seq.data.sentence_splitting import split_sentences


def test_a_text_is_split_where_sentences_end():
    text = "Mr. Smith came at 3.5 p.m. on Monday.  He left! “Why?” she asked.\nA title\n\nThe end"
    assert split_sentences(text) == [
        "Mr. Smith came at 3.5 p.m. on Monday.",
        "He left!",
        "“Why?” she asked.",
        "A title",
        "The end",
    ]
    assert split_sentences("") == split_sentences(" \n ") == []
    assert " ".join(split_sentences("One. Two? Three")) == "One. Two? Three"
