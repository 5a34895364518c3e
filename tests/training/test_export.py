import json
import random
import shutil
from dataclasses import replace

import pytest

from seq2seq.catalogue import read_card
from seq2seq.checkpoint import load
from seq2seq.cli.main import main
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.inference.pipeline import run
from seq2seq.training.export import write_model_card
from seq2seq.training.judged_outputs import texts_to_judge, write_outputs
from seq2seq.training.recipe import read_recipe

CARD = """
[card]
name = "tiny"
title = "A tiny model"
licence = "CC0-1.0"
languages = ["en"]
"""
MODEL = """
[model]
width = 12
attention = "dot"
feeds = "token"
copies = true
[training]
epochs = 1
batch_tokens = 200
"""
CHATBOT = f"""{CARD}
task = "chatbot"
turn_separator = "¶"
turns = 2
word_filter = true
examples = ["Is the cat here?"]
[card.decoding]
method = "sample"
beam_width = 2
top_p = 0.9
seed = 5
max_length = 8
[data]
train = ["train.tsv"]
valid = ["valid.tsv", "further.tsv"]
columns = ["before", "context", "response"]
[tokenizer]
pieces = 60
symbols = ["¶"]
[prompts]
greeting = ["Hi, cat.", "a | b"]
"follow-up" = ["Hi.¶ The cat.¶ Where?"]
{MODEL}"""
SUMMARIZER = f"""{CARD}
task = "summarization"
folded = true
[data]
train = ["train.tsv"]
valid = ["valid.tsv"]
columns = ["before", "response"]
join = 0.3
[tokenizer]
pieces = 60
{MODEL}"""
STYLED = f"""{CARD}
task = "summarization"
folded = true
instructions = ["compress", "abstract"]
[data]
train = ["train.tsv", "train.tsv"]
valid = ["valid.tsv", "other.tsv"]
columns = ["before", "response"]
instructions = ["<compress>", "<abstract>"]
valid_instructions = ["<compress>", "<abstract>"]
[tokenizer]
pieces = 60
symbols = ["▁<compress>", "▁<abstract>"]
{MODEL}"""
WORDS = "the cat dog is here there big 12 small runs Now".split()  # noqa: SIM905


def trained(folder, recipe):
    draw = random.Random(0)
    rows = [" ".join(draw.choices(WORDS, k=5)) for _ in range(240)]
    lines = [f"{row}\t{row[4:]}\t{row[6:]}" for row in rows]
    for name, part in (("train.tsv", lines[40:]), ("valid.tsv", lines[:40])):
        (folder / name).write_text("\n".join(["before\tcontext\tresponse", *part]) + "\n")
    shutil.copyfile(folder / "valid.tsv", folder / "other.tsv")
    (folder / "further.tsv").write_text("\n".join(["before\tcontext\tresponse", *lines[:9]]) + "\n")
    (folder / "recipe.toml").write_text(recipe, encoding="utf-8")
    out = folder / "tiny"
    arguments = ["--data", str(folder), "--work", str(folder / "work"), "--out", str(out)]
    assert main(["train", str(folder / "recipe.toml"), *arguments]) == 0
    return out


@pytest.fixture(scope="module")
def chatbot(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("chatbot"), CHATBOT)


@pytest.fixture(scope="module")
def summarizer(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("summarizer"), SUMMARIZER)


def read(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_the_card_that_is_written_is_the_recipes(chatbot, summarizer):
    for folder in (chatbot, summarizer):
        card = read_card(folder)
        assert card == read_recipe(folder / "recipe.toml").card
        assert card.to_toml() == (folder / "card.toml").read_text(encoding="utf-8")


def test_a_checkpoint_has_the_generation_config_of_its_card(chatbot, summarizer):
    generation_config = load(chatbot).generation_config
    options = Options(method="sample", beam_width=2, top_p=0.9, seed=5, max_length=8)
    assert (
        generation_config.turn_separator,
        generation_config.turns,
        generation_config.options,
    ) == ("¶", 2, options)
    assert generation_config.word_filter is not None
    assert load(chatbot).tokenizer.encode("¶")[-1] in generation_config.forbidden
    generation_config = load(summarizer).generation_config
    assert generation_config.folded
    assert generation_config.options == Options()


@pytest.mark.parametrize("name", ["chatbot", "summarizer"])
def test_the_scores_can_be_measured_again(request, capsys, name):
    folder = request.getfixturevalue(name)
    names = read_recipe(folder / "recipe.toml").data.valid
    head, *rows = (folder.parent / names[0]).read_text().splitlines()
    for further in names[1:]:
        rows += (folder.parent / further).read_text().splitlines()[1:]
    if name == "summarizer":
        head, rows = "before\tresponse", ["\t".join(row.split("\t")[::2]) for row in rows]
    file = folder.parent / "pairs.tsv"
    file.write_text("".join(f"{line}\n" for line in (head, *rows)))
    assert main(["evaluate", str(folder), str(file), "--json"]) == 0
    found, written = json.loads(capsys.readouterr().out), read(folder, "evaluation.json")
    timed = {"seconds", "sentences_per_second", "checkpoint"}
    for key in found.keys() - timed:
        assert found[key] == written[key], key


def judge(folder, *verdicts):
    """Say of a checkpoint's outputs, in turn, whether each serves; returns its model card."""
    outputs = read(folder, "judged.json")
    names = list(outputs[0])[3:]
    for output, said in zip(outputs, verdicts, strict=True):
        output |= dict(zip(names, said, strict=True))
    (folder / "judged.json").write_text(json.dumps(outputs), encoding="utf-8")
    write_model_card(folder, read_recipe(folder / "recipe.toml"))
    return (folder / "README.md").read_text(encoding="utf-8")


def test_outputs_wait_for_a_judge_and_are_counted(chatbot):
    outputs = read(chatbot, "judged.json")
    assert [each["kind"] for each in outputs] == ["greeting", "greeting", "follow-up"]
    assert all(each["sensible"] is None and each["output"] for each in outputs)
    assert "no reader has judged them yet" in judge(chatbot, *[(None, None)] * 3)
    unknown = (None, None)
    card = judge(chatbot, (True, False), unknown, (True, True))
    assert "Of 2 judged, 2 sensible and 1 specific." in card
    assert "| greeting | 1 | 1 | 0 |" in card
    assert f"| follow-up | Hi.¶ The cat.¶ Where? | {outputs[2]['output']} | yes | yes |" in card
    assert f"| greeting | a / b | {outputs[1]['output']} | not judged | not judged |" in card
    assert "What it fails at" not in card
    card = judge(chatbot, (True, False), (False, False), (True, True))
    assert f"What it fails at, for example:\n\n- a | b *{outputs[1]['output']}*\n\n##" in card


def test_verdicts_stay_with_the_outputs_they_are_of(chatbot):
    judge(chatbot, (True, False), (False, False), (True, True))
    outputs = read(chatbot, "judged.json")
    outputs[2]["output"] += " Or not."
    (chatbot / "judged.json").write_text(json.dumps(outputs), encoding="utf-8")
    write_outputs(chatbot, load(chatbot), read_recipe(chatbot / "recipe.toml"))
    said = [each["sensible"] for each in read(chatbot, "judged.json")]
    assert said == [True, False, None]


def test_translators_into_french_are_judged_by_sentences_of_ours(chatbot, summarizer):
    recipe = read_recipe(chatbot / "recipe.toml")
    assert texts_to_judge(recipe) == recipe.prompts
    assert texts_to_judge(read_recipe(summarizer / "recipe.toml")) == {}
    card = replace(recipe.card, task="translation", languages=("en", "fr"))
    kinds = texts_to_judge(replace(recipe, card=card, prompts={}))
    assert sum(map(len, kinds.values())) == 100
    typed = kinds.pop("typed first")  # some without a mark, as people type
    assert len(typed) == len({text.lower() for text in typed}) == 60
    assert all(text.endswith((".", "?", "!")) for texts in kinds.values() for text in texts)
    other = replace(recipe.card, task="spelling", languages=("en", "fr"))
    assert texts_to_judge(replace(recipe, card=other)) == {}


def test_the_model_card_prints_the_scores(chatbot, summarizer):
    for folder, keys in ((chatbot, ("perplexity", "dull")), (summarizer, ("rouge_1", "kept_f1"))):
        card = (folder / "README.md").read_text(encoding="utf-8")
        scores = read(folder, "evaluation.json")
        for key in keys:
            assert f"| {scores[key]} |" in card


def test_the_perplexity_of_a_chatbot_is_told_of_each_file(chatbot):
    scores, card = read(chatbot, "evaluation.json"), (chatbot / "README.md").read_text()
    files = scores["by_corpus"]
    assert list(files) == ["valid", "further"]
    losses = [of["loss"] for of in files.values()]
    assert min(losses) <= scores["loss"] <= max(losses)
    told = ", ".join(f"{of['perplexity']} on `{name}`" for name, of in files.items())
    assert f"the perplexity is {told}." in card
    assert '"dataset": {"name": "further.tsv"' in card


# --- a summarizer that always gets an instruction


@pytest.fixture(scope="module")
def styled(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("styled"), STYLED)


def test_each_instruction_is_scored_on_its_files(styled):
    scores, card = read(styled, "evaluation.json"), (styled / "README.md").read_text()
    files = scores["by_corpus"]
    assert [each["instruction"] for each in files.values()] == ["compress", "abstract"]
    assert scores["kept_f1"] == files["valid"]["kept_f1"]
    for name, of in files.items():
        assert f"| `{name}` | {of['instruction']} | {of['rouge_1']} |" in card
        for key in ("novel_bigrams", "less_probable", "less_probable_without_a_word"):
            assert 0 <= of[key] <= 100
    assert set(scores["by_instruction"]) == {"compress", "abstract"}
    for name, of in scores["by_instruction"].items():
        words, texts = of["qualifiers"], of["paragraphs"]
        assert 0 <= texts["main_kept"] <= 100
        row = (words["negation_kept"], words["hedge_kept"], words["invented"])
        assert f"| {name} | {' | '.join(map(str, (*row, texts['short'])))} |" in card


def test_an_instruction_is_named_or_written_and_else_it_is_the_first(styled):
    checkpoint, text = load(styled), "the cat runs here. Now"
    read = {
        asked: run(checkpoint, text, Options(instruction=asked, max_length=4)).source
        for asked in ("", "compress", "abstract", "<abstract>")
    }
    assert read[""].ids == read["compress"].ids != read["abstract"].ids
    assert read["<abstract>"].ids == read["abstract"].ids
    assert read["abstract"].pieces[0] == "▁<abstract>"
    again = run(checkpoint, read["abstract"].text, Options(instruction="compress", max_length=4))
    assert again.source.ids == read["abstract"].ids
    with pytest.raises(UserError, match="no instruction 'sum up': use compress, abstract"):
        run(checkpoint, text, Options(instruction="sum up"))
    for mark in ("<compress>", "<abstract>"):
        assert checkpoint.tokenizer.encode(mark)[0] in checkpoint.generation_config.forbidden


def test_the_command_line_takes_an_instruction(styled, capsys):
    for asked in ("compress", "abstract"):
        assert main(["run", str(styled), "the cat runs", "--instruction", asked, "--json"]) == 0
        trace = json.loads(capsys.readouterr().out)
        assert trace["options"]["instruction"] == asked
    assert main(["run", str(styled), "the cat runs", "--instruction", "shorter"]) == 2
    assert "use compress, abstract" in capsys.readouterr().err
