import pytest

from seq2seq.analysis.probe_sentences import FEATURES, probes


def test_the_same_seed_gives_the_same_sentences():
    assert probes(200) == probes(200)
    assert probes(200) != probes(200, seed=1)


def test_sentences_differ_and_every_feature_is_balanced():
    found = probes(400)
    assert len({probe.text for probe in found}) == 400
    for feature in FEATURES[:-1]:
        values = [getattr(probe, feature) for probe in found]
        shares = [values.count(value) / len(values) for value in set(values)]
        assert min(shares) > 0.7 / len(shares)


@pytest.mark.parametrize("probe", probes(300), ids=lambda probe: probe.text)
def test_features_are_what_the_sentence_says(probe):
    words = probe.text[:-1].lower().split()
    assert probe.text[0].isupper()
    assert probe.text.endswith("?" if probe.kind == "question" else ".")
    assert ("not" in words) == (probe.polarity == "negative")
    assert ("by" in words) == (probe.voice == "passive")
    assert ("will" in words) == (probe.tense == "future")
    if probe.tense != "future" and probe.voice == "passive":
        expected = {
            ("present", "singular"): "is",
            ("present", "plural"): "are",
            ("past", "singular"): "was",
            ("past", "plural"): "were",
        }
        assert expected[probe.tense, probe.number] in words
    assert (probe.length == "long") == (len(words) >= 8)


@pytest.mark.slow
def test_more_sentences_than_the_grammar_has_are_refused():
    with pytest.raises(AssertionError, match="no more"):
        probes(10**6)
