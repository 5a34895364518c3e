"""Who may import what. A folder or file that is not there yet breaks no rule."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NETWORK = {
    "aiohttp",
    "ftplib",
    "http",
    "httpx",
    "httpx2",
    "huggingface_hub",
    "requests",
    "socket",
    "urllib",
}
REFEREES = {
    "chronos",
    "ctranslate2",
    "keras",
    "statsforecast",
    "statsmodels",
    "tensorflow",
    "transformers",
}
UI = ("ui",)
# From low to high: a room imports from lower floors only, and from itself without a circle.
FLOORS = (
    "errors machine text_files",
    "toml trace_html trace_json",
    "models data hub",
    "decoding",
    "catalogue trace",
    "families",
    "checkpoint",
    "inference",
    "evaluation",
    "analysis",
    "training",
    "experiments",
    "figures",
    "lessons",
    "serving",
    "cli",
    "__main__",
)
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms.split()}


def python_files(*names):
    """Yield the Python files among these files and below these folders."""
    for name in names:
        path = ROOT / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path] * path.is_file()


def imports(path):
    names = set(imported(ast.parse(path.read_text(encoding="utf-8"))))
    # Taking an address apart reaches no network.
    return {name.split(".")[0] for name in names - {"urllib.parse"}}


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__"):
                yield str(node.args[0].value)


def caches(path):
    """Tell whether a file uses one of Streamlit's caches."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
        names += [node.attr] if isinstance(node, ast.Attribute) else []
        if {"cache_data", "cache_resource"} & set(names):
            return True
    return False


def offenders(files, forbidden):
    return [path for path in files if imports(path) & forbidden]


LIBRARY = list(python_files("seq2seq"))
FIGURES = list(python_files("seq2seq/figures"))
PAGES = list(python_files("pages"))
BENCHMARKS = [
    ROOT / "seq2seq" / "evaluation" / name for name in ("benchmark.py", "speech_benchmark.py")
]
APP = list(python_files("app.py", *UI, "pages", "seq2seq"))


def test_the_library_knows_no_streamlit():
    assert len(LIBRARY) > 15
    assert not offenders(LIBRARY, {"streamlit", "ui"})


def test_only_figures_draw():
    assert not offenders(set(LIBRARY) - set(FIGURES), {"plotly"})


def test_figures_compute_no_model():
    assert not offenders(FIGURES, {"torch", "streamlit"})


def test_pages_hold_no_logic():
    known = {"streamlit", "ui", "seq2seq", *sys.stdlib_module_names}
    strange = {path.name: imports(path) - known for path in PAGES}
    assert not {name: found for name, found in strange.items() if found}


def test_only_the_hub_reaches_the_network():
    assert not offenders(set(APP) - set(python_files("seq2seq/hub")), NETWORK)


def test_only_serving_knows_ray():
    assert not offenders(set(APP) - set(python_files("seq2seq/serving")), {"ray"})


def test_only_the_runtime_caches():
    runtime = set(python_files("ui/runtime"))
    assert not [path for path in set(APP) - runtime if caches(path)]


def test_referees_stay_in_the_tests_and_the_benchmarks():
    assert not offenders(set(APP) - set(BENCHMARKS), REFEREES)


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda path: path.name)
def test_a_benchmark_asks_for_a_referee_only_when_it_races(benchmark):
    tree = ast.parse(benchmark.read_text(encoding="utf-8"))
    assert imports(benchmark) & REFEREES == {"ctranslate2", "transformers"}
    tree.body = [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
    assert not {name.split(".")[0] for name in imported(tree)} & REFEREES


def test_every_room_stands_on_a_floor():
    rooms = {path.relative_to(ROOT / "seq2seq").parts[0].removesuffix(".py") for path in LIBRARY}
    assert len(rooms) > 10
    assert rooms - {"__init__"} <= set(FLOOR)


def test_no_import_leads_upstairs():
    upstairs = {
        (room, other)
        for module, others in library_imports().items()
        for room, other in ((module.split(".")[1], each.split(".")[1]) for each in others)
        if room != other and FLOOR[other] >= FLOOR[room]
    }
    assert not upstairs


def test_no_import_leads_back_to_where_it_began():
    TopologicalSorter(library_imports()).prepare()  # raises CycleError, which names the circle


def library_imports(files=LIBRARY, root=ROOT):
    """Return the modules of the library that each of its modules imports, by name.

    The package itself is left out: it imports names when they are asked for.
    """
    names = {path: ".".join(path.relative_to(root).with_suffix("").parts) for path in files}
    names = {path: name.removesuffix(".__init__") for path, name in names.items()}
    modules = set(names.values()) - {"seq2seq"}
    found = {}
    for path, module in names.items():
        if module in modules:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found[module] = set(modules_meant(tree, modules)) - {module}
    return found


def modules_meant(tree, modules):
    """Yield each of the modules that is imported: `from a import b` means a.b where that is one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            meant = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from meant & modules or {node.module} & modules
        elif isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & modules


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        ("from seq2seq.models import upper", "x = 1"),
        ("import seq2seq.models.upper", "import seq2seq.models.lower"),
    ],
)
def test_imports_between_modules_are_seen(tmp_path, lower, upper):
    room = tmp_path / "seq2seq" / "models"
    room.mkdir(parents=True)
    (room / "lower.py").write_text(lower)
    (room / "upper.py").write_text(upper)
    found = library_imports(room.glob("*.py"), tmp_path)
    assert found["seq2seq.models.lower"] == {"seq2seq.models.upper"}
    assert bool(found["seq2seq.models.upper"]) == (upper != "x = 1")


LIGHT = ("seq2seq.trace", "seq2seq.catalogue", "seq2seq.figures", "seq2seq.cli.main")


@pytest.mark.parametrize("module", LIGHT)
def test_pictures_of_a_saved_run_and_the_names_of_commands_need_no_torch(module):
    if not list(python_files(module.replace(".", "/"), module.replace(".", "/") + ".py")):
        return
    code = f"import sys, {module}; sys.exit(bool({{'torch', 'streamlit'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_every_public_name_is_there():
    import seq2seq

    assert dir(seq2seq) == sorted(seq2seq.__all__)
    for name in set(seq2seq.__all__) - {"__version__", "figures"}:
        assert getattr(seq2seq, name).__module__.startswith("seq2seq.")
    with pytest.raises(AttributeError, match="nothing_like_this"):
        seq2seq.nothing_like_this  # noqa: B018


def test_figures_and_the_version_need_no_second_import():
    code = "import seq2seq; print(seq2seq.figures.attention.__name__, seq2seq.__version__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert re.fullmatch(r"attention \d+\.\d+\.\d+", done.stdout.strip())


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import torch.nn as nn, os", {"torch", "os"}),
        ("from plotly.graph_objects import Figure", {"plotly"}),
        ("from . import errors", set()),
        ("def f():\n    import keras", {"keras"}),
        ("from importlib import import_module as m\nimport_module('requests.x')", {"requests"}),
        ("if TYPE_CHECKING:\n    from streamlit import x", {"streamlit"}),
    ],
)
def test_imports_are_found_wherever_they_stand(tmp_path, source, names):
    path = tmp_path / "file.py"
    path.write_text(source)
    assert imports(path) - {"importlib"} == names


@pytest.mark.parametrize(
    "source",
    [
        "import streamlit as st\n@st.cache_data\ndef f(): pass",
        "from streamlit import cache_resource",
        "import streamlit\nstreamlit.cache_data.clear()",
    ],
)
def test_caches_are_found(tmp_path, source):
    path = tmp_path / "file.py"
    path.write_text(source)
    assert caches(path)
    path.write_text("import streamlit as st\nst.write('cache_data')")
    assert not caches(path)
