from seq2seq.analysis.lexicon import lexicon, stem
from seq2seq.data.parallel_corpus import Pair


def test_translations_are_learned_from_sentences_alone():
    nouns = {"cat": "chat", "dog": "chien", "house": "maison", "tree": "arbre"}
    verbs = {"sees": "voit", "loves": "aime", "hears": "entend"}
    pairs = [
        Pair(f"The {a} {v} the {b}.", f"Le {nouns[a]} {verbs[v]} le {nouns[b]}.")
        for a in nouns
        for b in nouns
        for v in verbs
    ]
    found = lexicon(pairs)
    for source, target in (nouns | verbs).items():
        assert target in found[source]
    assert "chien" not in found["cat"]
    assert lexicon([Pair("One.", "Un.")])["one"] == {"un"}


def test_forms_of_a_word_have_a_stem():
    assert stem("dormait") == stem("dormais") == "dorm"
    assert stem("le") == "le"
