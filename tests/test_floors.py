import hashlib
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

TRAINING = Path(__file__).parent.parent / "training"


@dataclass
class Workshop:
    """A copy of `training/` with six test articles and floors of its own."""

    folder: Path

    @property
    def floors(self):
        return self.folder / "floors.toml"

    @property
    def pinned(self):
        return tomllib.loads(self.floors.read_text())

    def write(self, at_least, at_most, *, data=None, recipe=None):
        data = data or hashlib.sha256((self.folder / "corpus" / "test.jsonl").read_bytes()).hexdigest()
        self.floors.write_text(
            f'# why there are floors\nrecipe_sha256 = "{recipe or self.recipe}"\n\n'
            f'[[set]]\nname = "six articles"\npath = "corpus/test.jsonl"\nsha256 = "{data}"\n'
            f"at_least = {at_least}\nat_most = {at_most}\n\n"
            '[[set]]\nname = "far away"\npublic = "far_away.jsonl"\nsha256 = "0"\nat_least = { noise_recall = 0.5 }\n'
        )

    def run(self, *arguments):
        return subprocess.run(
            [sys.executable, self.folder / "floors.py", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={"NOISEFILTER_DATA": str(self.folder), "PATH": ""},
        )

    @property
    def recipe(self):
        """What the digest of the recipe and its labels has to be."""
        files = [self.folder / name for name in ("recipe.toml", "sources.toml", "corpus/train.jsonl")]
        files += sorted((self.folder / "annotations").glob("*.jsonl"))
        return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)).hexdigest()


@pytest.fixture
def workshop(tmp_path, slice_file):
    for name in ("floors.py", "recipe.toml", "sources.toml"):
        shutil.copy(TRAINING / name, tmp_path)
    for name in ("corpus", "annotations"):
        (tmp_path / name).mkdir()
    (tmp_path / "annotations" / "pages.jsonl").write_text("{}\n")
    shutil.copy(slice_file, tmp_path / "corpus" / "train.jsonl")
    lines = (TRAINING / "corpus" / "test.jsonl").read_text(encoding="utf-8").split("\n")[:6]
    (tmp_path / "corpus" / "test.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Workshop(tmp_path)


def test_floors_that_hold(workshop):
    workshop.write("{ noise_recall = 0.1 }", "{ content_loss = 0.9 }")
    run = workshop.run()
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("holds") == 2
    assert "left out: far away (no far_away.jsonl; set NOISEFILTER_DATA)" in run.stdout


@pytest.mark.parametrize(
    ("at_least", "at_most", "named"),
    [
        ("{ noise_recall = 1.01 }", "{ content_loss = 0.9 }", "noise_recall on six articles"),
        ("{ noise_recall = 0.1 }", "{ content_loss = -0.1 }", "content_loss on six articles"),
    ],
)
def test_a_broken_floor_is_named(workshop, at_least, at_most, named):
    workshop.write(at_least, at_most)
    run = workshop.run()
    assert run.returncode == 5
    assert run.stderr.startswith(f"floors: below its floor: {named} (")


@pytest.mark.parametrize("name", ["recipe.toml", "sources.toml", "corpus/train.jsonl", "annotations/pages.jsonl"])
def test_floors_are_those_of_one_recipe(workshop, name):
    workshop.write("{ noise_recall = 0.1 }", "{ content_loss = 0.9 }")
    with (workshop.folder / name).open("a") as file:
        file.write("\n")
    run = workshop.run()
    assert run.returncode == 5
    assert "the recipe or its labels changed since the floors were pinned" in run.stderr


def test_floors_are_those_of_one_test_set(workshop):
    workshop.write("{ noise_recall = 0.1 }", "{ content_loss = 0.9 }", data="f" * 64)
    run = workshop.run()
    assert run.returncode == 5
    assert "is not the data that the floors were measured on: pin them anew" in run.stderr


def test_pinning_raises_floors_to_just_below_what_is_measured(workshop):
    workshop.write("{ noise_recall = 0.1 }", "{ content_loss = 0.9 }", data="f" * 64, recipe="f" * 64)
    run = workshop.run("pin")
    assert run.returncode == 0, run.stderr
    first = workshop.pinned
    assert first["recipe_sha256"] == workshop.recipe
    assert first["set"][0]["at_least"]["noise_recall"] > 0.3
    assert first["set"][0]["at_most"]["content_loss"] < 0.1
    assert first["set"][1] == {
        "name": "far away",
        "public": "far_away.jsonl",
        "sha256": "0",
        "at_least": {"noise_recall": 0.5},
    }
    assert workshop.floors.read_text().startswith("# why there are floors\n")
    assert workshop.run().returncode == 0
    assert workshop.run("pin").returncode == 0
    assert workshop.pinned == first


def test_a_floor_is_lowered_for_a_reason_only(workshop):
    workshop.write("{ noise_recall = 1.0 }", "{ content_loss = 0.9 }")
    before = workshop.floors.read_bytes()
    run = workshop.run("pin")
    assert run.returncode == 5
    assert "this would lower noise_recall on six articles from 1.0 to 0." in run.stderr
    assert workshop.floors.read_bytes() == before
    run = workshop.run("pin", "--reason", "the labels got stricter")
    assert run.returncode == 0, run.stderr
    assert workshop.pinned["set"][0]["at_least"]["noise_recall"] < 1.0
    assert workshop.pinned["lowered"][0].startswith("noise_recall on six articles from 1.0 to 0.")
    assert workshop.pinned["lowered"][0].endswith(": the labels got stricter")
