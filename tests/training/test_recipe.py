import pytest

from seq2seq.catalogue import CHECKPOINTS, read_card
from seq2seq.errors import UserError
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import build
from seq2seq.training.recipe import (
    AugmentationSettings,
    DataSettings,
    DialogueSettings,
    TokenizerSettings,
    TrainingSettings,
    read_recipe,
)

CARD = '[card]\ntitle = "A title"\ntask = "translation"\nlicence = "MIT"\n'
DATA = '[data]\ntrain = ["a.tsv", "b.tsv"]\nvalid = ["c.tsv"]\n'
MODEL = "[model]\nwidth = 16\n"
WHOLE = CARD + DATA + MODEL


@pytest.fixture
def recipe(tmp_path):
    def read(text):
        folder = tmp_path / "tiny-en-fr"
        folder.mkdir(exist_ok=True)
        path = folder / "recipe.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_recipe(path)

    return read


def test_what_is_not_written_has_defaults(recipe):
    read = recipe(WHOLE)
    assert read.name == read.card.name == "tiny-en-fr"
    assert read.card.title == "A title"
    assert read.data == DataSettings(train=("a.tsv", "b.tsv"), valid=("c.tsv",))
    assert read.tokenizer == TokenizerSettings()
    assert read.training == TrainingSettings()
    assert read.dialogue == DialogueSettings()
    assert read.prompts == {}
    assert read.model == {"width": 16}
    assert read.text == WHOLE


def test_everything_can_be_written(recipe):
    read = recipe(
        CARD
        + 'name = "other"\n'
        + DATA
        + 'columns = ["en", "fr"]\nshare = [1, 0.25]\nmax_tokens = 30\n'
        + MODEL
        + '[tokenizer]\npieces = 99\nalpha = 0.1\nsymbols = ["<a>"]\n'
        + "[training]\nepochs = 2\nbatch_tokens = 3\nlearning_rate = 1\nwarmup_steps = 0\n"
        + "label_smoothing = 0\nclip = 0.5\naveraging = 0\nevaluate_every = 7\npatience = 8\n"
        + "seed = 9\nbatch_frames = 100\nctc = 0.25\n"
        + "[augmentation]\nspeeds = [1, 1.1]\nstrings = [1, 3]\nnoise = 0.5\nbin_masks = 1\n"
        + "[dialogue]\ncasual = 0.5\nforget = 0.25\ninterrupt = 1\n"
        + '[prompts]\ngreeting = ["Hi.", "Hello!"]\n'
    )
    assert read.dialogue == DialogueSettings(0.5, 0.25, 1)
    assert read.prompts == {"greeting": ("Hi.", "Hello!")}
    assert read.name == "other"
    assert read.data.columns == ("en", "fr")
    assert read.data.share == (1, 0.25)
    assert read.tokenizer == TokenizerSettings(99, 0.1, ("<a>",))
    assert read.training == TrainingSettings(2, 3, 1.0, 0, 0.0, 0.5, 0.0, 7, 8, 9, 100, 0.25)
    wanted = AugmentationSettings((1, 1.1), (1, 3), noise=0.5, bin_masks=1)
    assert read.augmentation == wanted


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no section"),
        (DATA + MODEL, r"no section \[card\]"),
        (CARD + MODEL, r"no section \[data\]"),
        (CARD + DATA, r"no section \[model\]"),
        (WHOLE + "[optimizer]\nkind = 1\n", r"unknown section \[optimizer\]"),
        ("card = 3\n" + DATA + MODEL, "card"),
        ("data = 3\n" + CARD + MODEL, "data"),
        ("model = 3\n" + CARD + DATA, "model"),
        ("training = []\n" + WHOLE, "training"),
        (WHOLE + "[training]\nsteps = 3\n", "'steps'"),
        (WHOLE + "[tokenizer]\nsize = 3\n", "'size'"),
        (CARD + DATA + "test = 3\n" + MODEL, "'test'"),
        (CARD + "colour = 3\n" + DATA + MODEL, "'colour'"),
        (CARD.replace("translation", "cooking") + DATA + MODEL, "translation, summarization"),
        (CARD + '[data]\nvalid = ["c.tsv"]\n' + MODEL, "'train'"),
        (CARD + '[data]\ntrain = ["a"]\n' + MODEL, "'valid'"),
        (CARD + '[data]\ntrain = "a"\nvalid = ["c"]\n' + MODEL, "train"),
        (CARD + '[data]\ntrain = []\nvalid = ["c"]\n' + MODEL, "train"),
        (CARD + '[data]\ntrain = ["a"]\nvalid = []\n' + MODEL, "valid"),
        (CARD + DATA + 'columns = ["en"]\n' + MODEL, "columns"),
        (CARD + DATA + "share = [1.0]\n" + MODEL, "share"),
        (CARD + DATA + "share = [1.0, 2000.0]\n" + MODEL, "share"),
        (CARD + DATA + "share = [1.0, 0.0]\n" + MODEL, "share"),
        (CARD + DATA + "share_later = [1.0]\n" + MODEL, "share"),
        (CARD + DATA + "share_later = [1.0, 0.0]\n" + MODEL, "share"),
        (CARD + DATA + "max_tokens = 0\n" + MODEL, "max_tokens"),
        (WHOLE + '[training]\nepochs = "20"\n', "epochs"),
        (WHOLE + "[training]\nepochs = 2.5\n", "epochs"),
        (WHOLE + "[training]\nepochs = true\n", "epochs"),
        (WHOLE + "[training]\nepochs = 0\n", "epochs"),
        (WHOLE + "[training]\nbatch_tokens = 0\n", "batch_tokens"),
        (WHOLE + "[training]\nlearning_rate = 0\n", "learning_rate"),
        (WHOLE + "[training]\nlearning_rate = nan\n", "learning_rate"),
        (WHOLE + "[training]\nwarmup_steps = -1\n", "warmup_steps"),
        (WHOLE + "[training]\nlabel_smoothing = 1.0\n", "label_smoothing"),
        (WHOLE + "[training]\nclip = 0.0\n", "clip"),
        (WHOLE + "[training]\naveraging = 1.0\n", "averaging"),
        (WHOLE + "[training]\nevaluate_every = 0\n", "evaluate_every"),
        (WHOLE + "[training]\npatience = 0\n", "patience"),
        (WHOLE + "[training]\nseed = -1\n", "seed"),
        (WHOLE + "[training]\nctc = -1\n", "ctc"),
        (WHOLE + "[training]\nbatch_frames = 0\n", "batch_frames"),
        (CARD + DATA + "join = 2\n" + MODEL, "join"),
        (WHOLE + "[dialogue]\ncasual = 2\n", "casual"),
        (WHOLE + "[dialogue]\nshout = 1\n", "'shout'"),
        (WHOLE + '[prompts]\ngreeting = "Hi."\n', "prompts"),
        ("prompts = 3\n" + WHOLE, "prompts"),
        (WHOLE + "[augmentation]\npitch = 3\n", "'pitch'"),
        (WHOLE + "[augmentation]\nspeeds = []\n", "speeds"),
        (WHOLE + "[augmentation]\nspeeds = [0.1]\n", "speeds"),
        (WHOLE + "[augmentation]\nstrings = [0]\n", "strings"),
        (WHOLE + "[augmentation]\nnoise = 2\n", "noise"),
        (WHOLE + "[augmentation]\nnoise_decibels = [5]\n", "noise_decibels"),
        (WHOLE + '[tokenizer]\nkind = "bytes"\n', "kind"),
        (WHOLE + "[tokenizer]\npieces = 0\n", "pieces"),
        (WHOLE + "[tokenizer]\nalpha = -0.1\n", "alpha"),
        (WHOLE + "[tokenizer]\nsymbols = [1]\n", "symbols"),
    ],
)
def test_a_mistake_is_named(recipe, text, named):
    with pytest.raises(UserError, match=named):
        recipe(text)


@pytest.mark.parametrize(
    "text", ["[card", "a = ", b"\xff\xfe", "a = 1\na = 2\n", "\x00", "a = " + "[" * 5_000]
)
def test_what_is_no_toml_is_refused(recipe, text):
    with pytest.raises(UserError, match=r"recipe\.toml cannot be read"):
        recipe(text)


def test_a_field_that_came_later_is_among_the_settings_only_where_it_is_set(recipe):
    usual = recipe(WHOLE).settings
    assert "start_share" not in usual
    assert "room" not in usual
    assert "label_smoothing=0.1" in usual
    changed = recipe(WHOLE + "[training]\nstart_share = 0.5\n[augmentation]\nroom = 0.3\n")
    assert "start_share=0.5" in changed.settings
    assert "room=0.3" in changed.settings


def test_what_no_weight_depends_on_is_not_among_the_settings(recipe):
    scored = WHOLE.replace("[data]\n", '[data]\nregisters = ["tales.tsv"]\n')
    assert recipe(scored).data.registers == ("tales.tsv",)
    assert recipe(scored).settings == recipe(WHOLE).settings


@pytest.mark.parametrize(
    ("line", "said"),
    [('held_out_speakers = ["s1"]', "of recordings"), ('registers = ["tales.tsv"]', "of transl")],
)
def test_what_is_of_another_task_is_refused(recipe, line, said):
    text = WHOLE.replace('task = "translation"', 'task = "summarization"')
    with pytest.raises(UserError, match=said):
        recipe(text.replace("[data]\n", f"[data]\n{line}\n"))


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no recipe nowhere\.toml"):
        read_recipe(tmp_path / "nowhere.toml")
    with pytest.raises(UserError, match="cannot be read"):
        read_recipe(tmp_path)


def test_the_recipe_of_a_checkpoint_can_be_read(checkpoint_folder):
    assert read_recipe(checkpoint_folder / "recipe.toml").name == checkpoint_folder.name


@pytest.mark.parametrize(
    "path", sorted(CHECKPOINTS.glob("*/*.toml")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_every_recipe_here_describes_a_model(path):
    if path.name == "card.toml":
        assert read_card(path.parent).title
        return
    recipe = read_recipe(path)
    config = Config.from_dict({**recipe.model, "vocabulary": recipe.tokenizer.pieces})
    assert build(config).parameter_count() < 12e6
