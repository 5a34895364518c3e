"""Languages by name: every code of a model gets a name that no other one has."""

import pytest

from seq2seq.families.language_codes import M2M100, MBART50, NLLB, language_name, language_names


def test_codes_of_every_family_have_a_name():
    assert [language_name(code) for code in ("fr", "fr_XX", "fra_Latn")] == ["French"] * 3
    assert language_name("zxx_Zxxx") == "zxx_Zxxx"


@pytest.mark.parametrize("codes", [MBART50, M2M100, NLLB], ids=["mbart50", "m2m100", "nllb"])
def test_no_two_codes_share_a_name(codes):
    names = language_names(codes)
    assert list(names) == list(codes)
    assert len(set(names.values())) == len(codes)


def test_a_shared_name_has_the_code_beside_it():
    names = language_names(["zho_Hans", "zho_Hant", "fra_Latn"])
    assert list(names.values()) == ["Chinese (zho_Hans)", "Chinese (zho_Hant)", "French"]
