"""The table of docs/parity.md: of every family, and nothing in it differs."""

import re

from tests import published
from tests.families.test_serialized_tokenizer import CASES
from tests.parity_table import TABLE


def test_the_table_has_every_model_and_all_of_it_agrees():
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if " of " in line]
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    names = {row[0].removesuffix(" (its tokenizer.json)") for row in rows}
    expected = set(published.MODELS) - {"whisper"} | set(CASES)
    assert names == expected | {"whisper, multilingual", "whisper, english"}
    counts = [pair for row in rows for cell in row for pair in re.findall(r"(\d+) of (\d+)", cell)]
    assert len(counts) > 2 * len(rows)
    assert all(same == count and int(count) > 5 for same, count in counts)
    stored = [row[-1] for row in rows if row[-1] != "-"]
    assert set(stored) == {"safetensors, shards, bin"}
