"""One server and one browser for all tests of a process; all models but the listener are tiny."""

import shutil

import pytest
import soundfile

from seq2seq.catalogue import CHECKPOINTS
from tests import chatbots
from tests.forecasters import write_forecaster
from tests.hub_server import serving
from tests.served import ROOT, Pages, chromium, served_app

SPOKEN = ROOT / "assets" / "recordings" / "seven-three-one-zero.flac"


@pytest.fixture(scope="session")
def checkpoints(checkpoint_root, summarizers, tmp_path_factory):
    """A folder with tiny models for each task, the listener, and cards of models of the Hub.

    What translates has the names of the kinds; before them stands "summary-", "chat-", "spelling-".
    """
    root = shutil.copytree(checkpoint_root, tmp_path_factory.mktemp("served") / "checkpoints")
    for folder in summarizers.iterdir():
        shutil.copytree(folder, root / f"summary-{folder.name}")
    talking = tmp_path_factory.mktemp("chatbots")
    chatbots.write_slow(chatbots.write(talking))
    for folder in talking.iterdir():
        shutil.copytree(folder, root / f"chat-{folder.name}")
    spelling = shutil.copytree(checkpoint_root / "lstm-attention", root / "spelling-lstm")
    card = (spelling / "card.toml").read_text(encoding="utf-8")
    (spelling / "card.toml").write_text(card.replace("translation", "spelling"), encoding="utf-8")
    write_forecaster(root / "tiny-forecaster")
    (root / "speech-en").symlink_to(CHECKPOINTS / "speech-en")
    for folder in CHECKPOINTS.iterdir():
        if folder.is_dir() and not (folder / "model.safetensors").exists():
            (root / folder.name).symlink_to(folder)
    return root


@pytest.fixture(scope="session")
def hub(checkpoint_root):
    """A Hub on loopback that has a tiny Transformer, once fast and once to be slowed down."""
    names = ("card.toml", "config.json", "model.safetensors", "tokenizer.model", "README.md")
    files = {name: (checkpoint_root / "transformer" / name).read_bytes() for name in names}
    with serving() as running:
        running.model("user/tiny", files)
        running.model("user/slow", files | {"config.json": files["config.json"] + b" "})
        yield running


@pytest.fixture(scope="session")
def server(checkpoints, hub, tmp_path_factory):
    home = str(tmp_path_factory.mktemp("home"))
    absent = dict.fromkeys(("HF_TOKEN", "HF_HUB_OFFLINE", "SPACE_ID", "SEQ2SEQ_HOSTED"))
    with served_app(checkpoints, HF_HOME=home, HF_ENDPOINT=hub.hub, **absent) as address:
        yield address


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium with a microphone that plays a recording."""
    spoken = tmp_path_factory.mktemp("microphone") / "spoken.wav"
    soundfile.write(spoken, *soundfile.read(SPOKEN))
    with chromium(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={spoken}%noloop",
        "--autoplay-policy=no-user-gesture-required",
    ) as browser:
        yield browser


@pytest.fixture(scope="session")
def pages(browser):
    pages = Pages(browser)
    yield pages
    pages.context.close()


@pytest.fixture
def new_page(pages):
    """Opens pages and, at the end, requires that their consoles stayed empty."""
    pages.complaints.clear()
    yield pages.open
    complaints = list(pages.complaints)
    pages.restart()
    assert not complaints
