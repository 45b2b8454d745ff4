import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from dataclasses import asdict, dataclass, replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from noisefilter.bundle import read_manifest, save_model
from noisefilter.synthesis import Synthesis

TRAINING = Path(__file__).parent.parent / "training"


SHORE = {"id": "shore", "domain": "wend.example", "paragraphs": [{"text": "One.", "label": "content"}]}
RECIPE = """\
sources = "sources.toml"
[synthesis]
copies = 3
[calibration]
budgets = [0.05, 0.01]
"""
REGISTRY = """\
[[source]]
name = "shore"
origin = "here"
licence = "CC0-1.0"
file = "shore.jsonl"
sha256 = "{shore}"
use = "train"

[[source]]
name = "pages"
origin = "there"
licence = "CC0-1.0"
attribution = "the people there"
file = "pages.jsonl.gz"
sha256 = "{pages}"
use = "train"
annotations = ["annotations/pages.jsonl"]
calibrate = false

[[source]]
name = "brook"
origin = "there"
licence = "CC0-1.0"
file = "brook.jsonl"
sha256 = "{pages}"
use = "evaluate"
"""


def digest_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass
class Workshop:
    """What `training/` holds, smaller: six test articles, floors of its own, and the model made of it."""

    folder: Path

    @property
    def floors(self):
        return self.folder / "floors.toml"

    @property
    def pinned(self):
        return tomllib.loads(self.floors.read_text())

    def write(self, at_least, at_most, *, data=None, recipe=None):
        data = data or digest_of(self.folder / "corpus" / "test.jsonl")
        self.floors.write_text(
            f'# why there are floors\nrecipe_sha256 = "{recipe or self.recipe}"\n\n'
            f'[[set]]\nname = "six articles"\npath = "corpus/test.jsonl"\nsha256 = "{data}"\n'
            f"at_least = {at_least}\nat_most = {at_most}\n\n"
            '[[set]]\nname = "far away"\npublic = "far_away.jsonl"\nsha256 = "0"\nat_least = { noise_recall = 0.5 }\n'
        )

    def bring_what_is_far_away(self):
        shutil.copy(self.folder / "corpus" / "test.jsonl", self.folder / "far_away.jsonl")

    def change(self, name, old, new):
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        (self.folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    @property
    def program(self):
        spec = spec_from_file_location("floors", self.folder / "floors.py")
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def run(self, *arguments, data=True):
        return subprocess.run(
            [sys.executable, self.folder / "floors.py", "--model", self.folder / "own.noisefilter", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={"NOISEFILTER_DATA": str(self.folder) if data else "", "PATH": ""},
        )

    @property
    def recipe(self):
        """What the digest of the recipe and its labels has to be."""
        files = [self.folder / name for name in ("recipe.toml", "sources.toml", "corpus/train.jsonl")]
        files += sorted((self.folder / "annotations").glob("*.jsonl"))
        return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)).hexdigest()


@pytest.fixture(scope="module")
def furnished(tmp_path_factory, slice_file, default_model):
    """A folder with all that a model is made of, and the model, whose manifest says so."""
    folder = tmp_path_factory.mktemp("workshop")
    shutil.copy(TRAINING / "floors.py", folder)
    for name in ("corpus", "annotations"):
        (folder / name).mkdir()
    (folder / "annotations" / "pages.jsonl").write_text("{}\n")
    shutil.copy(slice_file, folder / "corpus" / "train.jsonl")
    lines = (TRAINING / "corpus" / "test.jsonl").read_text(encoding="utf-8").split("\n")[:6]
    (folder / "corpus" / "test.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "shore.jsonl").write_text(json.dumps(SHORE) + "\n")
    shore, pages = digest_of(folder / "shore.jsonl"), "f" * 64
    (folder / "sources.toml").write_text(REGISTRY.format(shore=shore, pages=pages))
    (folder / "recipe.toml").write_text(RECIPE)
    same = {"licence": "CC0-1.0"}
    public = [
        {"name": "shore", "articles": 1, "sha256": shore, "attribution": "", "annotations": {}},
        {
            "name": "pages",
            "articles": 7,
            "sha256": pages,
            "attribution": "the people there",
            "annotations": {"pages.jsonl": digest_of(folder / "annotations" / "pages.jsonl")},
        },
    ]
    corpus = {"name": "train.jsonl", "articles": 24, "sha256": digest_of(folder / "corpus" / "train.jsonl")}
    about = default_model.about | {
        "recipe": {
            "classifier": {},
            "synthesis": asdict(Synthesis(copies=3)),
            "calibration": {"folds": 5, "budgets": [0.01, 0.05], "resamples": 1000},
            "language": "en",
            "long_articles": 0.5,
            "sources": None,
        },
        "training_data": [same | entry for entry in (corpus, *public)],
        "calibrated_on": 25,
    }
    save_model(replace(default_model, about=about), folder / "own.noisefilter")
    return folder


@pytest.fixture
def workshop(tmp_path, furnished):
    shutil.copytree(furnished, tmp_path / "training")
    return Workshop(tmp_path / "training")


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


@pytest.mark.parametrize(
    ("name", "old", "new", "named"),
    [
        ("recipe.toml", "copies = 3", "copies = 4", "recipe.toml (synthesis.copies)"),
        ("recipe.toml", "[synth", "long_articles = 1.0\n[synth", "recipe.toml (long_articles)"),
        ("recipe.toml", "[synth", "[classifier]\nknots = 6\n[synth", "recipe.toml (classifier.knots)"),
        ("recipe.toml", "budgets = [0.05, 0.01]", "", "recipe.toml (calibration.budgets)"),
        ("corpus/train.jsonl", "\n", "\n\n", "train.jsonl (sha256)"),
        ("annotations/pages.jsonl", "\n", "\n\n", "pages (annotations)"),
        ("sources.toml", "f" * 64, "e" * 64, "pages (sha256)"),
        ("sources.toml", "the people there", "nobody", "pages (attribution)"),
        ("sources.toml", '"train"', '"none"', "shore (learnt from, but not registered to train on)"),
        ("sources.toml", '"evaluate"', '"train"', "brook (not learnt from: NOISEFILTER_DATA has to name its folder)"),
        ("sources.toml", 'use = "train"', 'use = "train"\nleave_out = ["wend.example"]', "shore (articles)"),
        ("sources.toml", "calibrate = false", "", "sources.toml (calibrate)"),
    ],
)
def test_what_differs_from_what_the_model_was_made_of_is_named(workshop, monkeypatch, name, old, new, named):
    monkeypatch.setenv("NOISEFILTER_DATA", str(workshop.folder))
    about = read_manifest(workshop.folder / "own.noisefilter")["about"]
    assert workshop.program.differences(about) == []
    workshop.change(name, old, new)
    assert workshop.program.differences(about) == [named]


@pytest.mark.parametrize("what", ["check", "pin"])
def test_a_model_made_of_something_else_is_refused(workshop, what):
    workshop.write("{ noise_recall = 0.1 }", "{ content_loss = 0.9 }", recipe="f" * 64)
    workshop.bring_what_is_far_away()
    workshop.change("recipe.toml", "copies = 3", "copies = 4")
    workshop.change("corpus/train.jsonl", "\n", "\n\n")
    before = workshop.floors.read_bytes()
    run = workshop.run(what)
    assert run.returncode == 5
    assert run.stderr == (
        "floors: the model was made of something else than is here: recipe.toml (synthesis.copies), "
        "train.jsonl (sha256): run `make train`\n"
    )
    assert workshop.floors.read_bytes() == before


def test_without_the_public_sets_the_rest_of_the_model_is_compared(workshop):
    workshop.write("{ noise_recall = 0.1 }", "{ content_loss = 0.9 }")
    run = workshop.run(data=False)
    assert run.returncode == 0, run.stderr
    workshop.change("annotations/pages.jsonl", "\n", "\n\n")
    run = workshop.run(data=False)
    assert run.returncode == 5
    assert "than is here: pages (annotations): run `make train`" in run.stderr


@pytest.mark.parametrize("name", ["recipe.toml", "sources.toml"])
def test_floors_are_those_of_one_recipe(workshop, name):
    workshop.write("{ noise_recall = 0.1 }", "{ content_loss = 0.9 }")
    with (workshop.folder / name).open("a") as file:
        file.write("\n")
    run = workshop.run()
    assert run.returncode == 5
    assert "the recipe or its labels changed since the floors were pinned: pin them anew (python " in run.stderr


def test_floors_are_those_of_one_test_set(workshop):
    workshop.write("{ noise_recall = 0.1 }", "{ content_loss = 0.9 }", data="f" * 64)
    run = workshop.run()
    assert run.returncode == 5
    assert "is not the data that the floors were measured on: pin them anew" in run.stderr


def test_pinning_raises_floors_to_just_below_what_is_measured(workshop):
    workshop.write("{ noise_recall = 0.1 }", "{ content_loss = 0.9 }", data="f" * 64, recipe="f" * 64)
    workshop.bring_what_is_far_away()
    run = workshop.run("pin")
    assert run.returncode == 0, run.stderr
    first = workshop.pinned
    assert first["recipe_sha256"] == workshop.recipe
    assert first["set"][0]["at_least"]["noise_recall"] > 0.3
    assert first["set"][0]["at_most"]["content_loss"] < 0.1
    assert {entry["sha256"] for entry in first["set"]} == {digest_of(workshop.folder / "far_away.jsonl")}
    assert first["set"][1]["at_least"] == {"noise_recall": first["set"][0]["at_least"]["noise_recall"]}
    assert workshop.floors.read_text().startswith("# why there are floors\n")
    assert workshop.run().returncode == 0
    assert workshop.run("pin").returncode == 0
    assert workshop.pinned == first


@pytest.mark.parametrize("data", [True, False])
def test_floors_are_pinned_on_all_sets_or_not_at_all(workshop, data):
    workshop.write("{ noise_recall = 0.1 }", "{ content_loss = 0.9 }", recipe="f" * 64)
    before = workshop.floors.read_bytes()
    run = workshop.run("pin", data=data)
    assert run.returncode == 5
    where = workshop.folder if data else "NOISEFILTER_DATA, which is not set"
    assert run.stderr == (
        f"floors: no far_away.jsonl in {where}: floors are pinned on all sets, so set it to their folder\n"
    )
    assert workshop.floors.read_bytes() == before


def test_a_floor_is_lowered_for_a_reason_only(workshop):
    workshop.write("{ noise_recall = 1.0 }", "{ content_loss = 0.9 }")
    workshop.bring_what_is_far_away()
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
