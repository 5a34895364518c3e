"""Languages by name: every code of a model gets a name that no other one has."""

import pytest

from seq2seq.families.language_codes import (
    M2M100,
    MBART,
    MBART50,
    NLLB,
    PLBART,
    SPOKEN,
    WMT21,
    language_name,
    language_names,
)

FAMILIES = {
    "mbart": MBART,
    "mbart50": MBART50,
    "m2m100": M2M100,
    "wmt21": WMT21,
    "nllb": NLLB,
    "plbart": PLBART,
    "whisper": tuple(SPOKEN.values()),
}


def test_one_language_has_one_name_in_all_families():
    assert [language_name(code) for code in ("fr", "fr_XX", "fra_Latn")] == ["French"] * 3
    assert language_name("zxx_Zxxx") == "zxx_Zxxx"


@pytest.mark.parametrize("codes", FAMILIES.values(), ids=FAMILIES)
def test_every_code_has_a_name_of_its_own(codes):
    names = language_names(codes)
    assert list(names) == list(codes)
    assert len(set(names.values())) == len(codes)
    for code, name in names.items():
        assert name != code
        assert code not in name
        assert name[0].isupper()


def test_scripts_of_one_language_are_told_apart():
    names = language_names(["zho_Hans", "zho_Hant", "taq_Tfng", "fra_Latn"])
    assert list(names.values()) == [
        "Chinese (simplified)",
        "Chinese (traditional)",
        "Tamasheq (Tifinagh script)",
        "French",
    ]


def test_a_shared_name_has_the_code_beside_it():
    assert list(language_names(["fr", "fr_XX"]).values()) == ["French (fr)", "French (fr_XX)"]
