import pytest

from seq2seq.training.headlines import Headlines, third_person

READ = (
    "to close closing a to start starting it to open opening they carry carrying plan planning "
    "visit visiting"
)


@pytest.fixture(scope="module")
def headlines():
    return Headlines([READ] * 3)


@pytest.mark.parametrize(
    ("sentence", "headline"),
    [
        ("the bridge has been closed.", "bridge closed"),
        ("a farmer has grown a pumpkin.", "farmer grows pumpkin"),
        ("the firms have started a trial.", "firms start trial"),
        ("the firm will open a shop.", "firm to open shop"),
        ("a man was allegedly closed out.", "man allegedly closed out"),
        ("she has already opened it!", "she has already opened it!"),
        ("the bank has allegedly planned it.", "bank allegedly plans it"),
        ("a dozen were visited, he has said.", "a dozen visited, he has said"),
        ("the plan has been a problem.", "plan has been problem"),
        ("the bank will not open.", "bank will not open"),
        ("it is in the u.s.", "it is in u.s"),
        ("will smith visits.", "will smith visits"),
    ],
)
def test_a_headline_has_neither_articles_nor_auxiliaries(headlines, sentence, headline):
    assert headlines.of(sentence) == headline


@pytest.mark.parametrize(
    ("participle", "base"),
    [
        ("closed", "close"),
        ("started", "start"),
        ("planned", "plan"),
        ("carried", "carry"),
        ("grown", "grow"),
        ("hundred", ""),
        ("unheard-of", ""),
    ],
)
def test_the_base_of_a_participle_is_a_word_that_was_read(headlines, participle, base):
    assert headlines.base(participle) == base


def test_the_third_person_is_spelled_by_the_end_of_the_base():
    assert [third_person(each) for each in ("grow", "pass", "carry", "say")] == [
        *("grows", "passes", "carries", "says")
    ]
