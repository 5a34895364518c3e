import pytest

from seq2seq.catalogue import CHECKPOINTS
from seq2seq.data.dialogue import turns_of
from seq2seq.data.parallel_corpus import read_pairs
from seq2seq.training.data_files import data_file, data_files
from seq2seq.training.judged_outputs import texts_to_judge
from seq2seq.training.recipe import read_recipe

OWN = ("talk", "verbs", "forms", "scenes", "captions", "vocabulary", "world", "phrases")


def test_files_are_below_the_data_folder_or_the_projects_own(tmp_path):
    assert data_file(tmp_path, "a/b.tsv") == tmp_path / "a" / "b.tsv"
    assert data_file(tmp_path, "own/scenes.valid.tsv").is_file()
    paths = data_files(tmp_path, ["own/scenes.valid.tsv", "own.tsv"])
    assert paths[1] == tmp_path / "own.tsv"
    assert tmp_path not in paths[0].parents


@pytest.mark.parametrize("name", OWN)
def test_own_pairs_are_in_one_split_each_and_none_is_one_that_a_model_is_judged_by(name, tmp_path):
    train, valid = (
        read_pairs(data_file(tmp_path, f"own/{name}.{split}.tsv"), ("en", "fr"))
        for split in ("train", "valid")
    )
    assert len(valid) >= 60
    assert len(train) > 10 * len(valid)
    sources = [pair.source.lower() for pair in train + valid]
    assert len(set(sources)) == len(sources)
    recipe = read_recipe(CHECKPOINTS / "bilstm-attention-en-fr" / "recipe.toml")
    judged = {text.lower() for texts in texts_to_judge(recipe).values() for text in texts}
    assert not judged & set(sources)


@pytest.mark.parametrize("name", ["exchanges", "danger", "chat"])
def test_own_exchanges_are_in_one_split_each_and_none_is_one_that_a_model_is_judged_by(
    tmp_path, name
):
    columns = ("before", "context", "response")
    train, valid = (
        read_pairs(data_file(tmp_path, f"own/{name}.{split}.tsv"), columns, "¶")
        for split in ("train", "valid")
    )
    assert len(valid) >= 400
    assert len(train) > 10 * len(valid)
    sources = [pair.source.lower() for pair in train + valid]
    assert len(set(sources)) == len(sources)
    prompts = read_recipe(CHECKPOINTS / "chatbot-en" / "recipe.toml").prompts
    judged = {prompt.lower().replace(" ¶", "¶") for each in prompts.values() for prompt in each}
    assert not judged & set(sources)
    assert not judged & {turns_of(source, "¶")[-1] for source in sources}
