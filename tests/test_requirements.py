"""The image's exact releases are those that requirements.txt asks for."""

import re
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent


def lines(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def locked():
    """Return the releases of requirements.lock, each with its hashes, by name."""
    found = {}
    for line in lines("requirements.lock"):
        if release := re.fullmatch(r"([a-z0-9-]+)==([^ ]+)( ; .*)? \\", line):
            name = release[1]
            found[name] = (release[2], [])
        else:
            found[name][1].append(re.fullmatch(r" +--hash=sha256:([0-9a-f]{64})( \\)?", line)[1])
    return found


def test_every_requirement_has_a_release_that_satisfies_it():
    found = locked()
    wanted = {each.name: each for each in map(Requirement, lines("requirements.txt"))}
    assert set(wanted) - set(found) == {"torch"}  # of which the image chooses a build
    for name, requirement in wanted.items():
        assert name == "torch" or requirement.specifier.contains(found[name][0])
    assert all(hashes for _, hashes in found.values())


def test_the_image_takes_nothing_else():
    steps = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "--no-deps --require-hashes -r requirements.lock" in steps
    assert steps.count("pip install") == 2
