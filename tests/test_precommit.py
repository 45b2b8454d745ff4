"""The three hooks, run by the real pre-commit from a copy of this repository, in an environment that it builds."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import CLEAN, GOOD_ARTICLE, NOISE, NOISY, ROOT, files_in, labelled, plain_environment, write_labels

PRE_COMMIT = Path(sys.executable).parent / "pre-commit"
BUILD_SECONDS = 1200
NEEDED = (".pre-commit-hooks.yaml", "LICENSE", "README.md", "noisefilter", "pyproject.toml", "setup.py")
CONFIG = """\
repos:
  - repo: {repository}
    rev: {revision}
    hooks:
      - id: noisefilter-check
      - id: noisefilter
      - id: noisefilter-labels
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An environment in which git and pre-commit see nothing of the user's."""
    home = tmp_path_factory.mktemp("home")
    names = {
        f"GIT_{who}_{what}": f"test@{who.lower()}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    ours = {"PRE_COMMIT_HOME": str(home / "pre-commit"), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    inherited = plain_environment({})
    return {name: value for name, value in inherited.items() if not name.startswith("GIT_")} | names | ours


def _git(folder, environment, *arguments):
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _commit_all(folder, environment):
    _git(folder, environment, "init", "--quiet")
    _git(folder, environment, "add", "--all", "--force")
    _git(folder, environment, "commit", "--quiet", "--message", "As it is")
    return _git(folder, environment, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def repository(tmp_path_factory, environment):
    """This project as a git repository, committed or not, and the revision to ask for."""
    folder = tmp_path_factory.mktemp("noisefilter")
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "native*.so", "native.cpp")
            )
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder, _commit_all(folder, environment)


@pytest.fixture
def project(tmp_path, repository, environment):
    """A user's repository with articles and labels, and a function that runs one hook in it."""
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "clean.txt").write_text(CLEAN, encoding="utf-8")
    (tmp_path / "articles" / "noisy.txt").write_text(NOISY, encoding="utf-8")
    (tmp_path / "notes.md").write_text(f"{NOISE[0]}\n", encoding="utf-8")
    write_labels(tmp_path / "good.jsonl", [GOOD_ARTICLE])
    (tmp_path / "good.jsonl.gz").write_bytes(
        gzip.compress(json.dumps(labelled("zipped", ("Rain.", "content"))).encode())
    )
    config = CONFIG.format(repository=repository[0], revision=repository[1])
    (tmp_path / ".pre-commit-config.yaml").write_text(config, encoding="utf-8")
    _commit_all(tmp_path, environment)

    def run(hook, code, *files):
        which = ["--files", *files] if files else ["--all-files"]
        done = subprocess.run(
            [PRE_COMMIT, "run", hook, "--color", "never", "--verbose", *which],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    return tmp_path, run


def _tracked(folder):
    return {name: content for name, content in files_in(folder).items() if not name.startswith(".git/")}


def test_noisefilter_check_finds_noise_and_never_writes(project):
    folder, run = project
    before = _tracked(folder)
    output = run("noisefilter-check", 1)
    assert "exit code: 1" in output
    found = [line for line in output.split("\n") if line.startswith("articles/")]
    assert [line.split(":")[0] for line in found] == ["articles/noisy.txt"] * 3
    assert all(line.endswith(text) for line, text in zip(found, NOISE, strict=True))
    assert "notes.md" not in output
    assert _tracked(folder) == before
    assert "Passed" in run("noisefilter-check", 0, "articles/clean.txt")


def test_noisefilter_cleans_in_place_and_passes_the_second_time(project):
    folder, run = project
    before = _tracked(folder)
    output = run("noisefilter", 1)
    assert "files were modified by this hook" in output
    assert "articles/noisy.txt: dropped 3 of 8 paragraphs" in output
    assert _tracked(folder) == before | {"articles/noisy.txt": CLEAN.encode()}
    assert "Passed" in run("noisefilter", 0)
    assert _tracked(folder) == before | {"articles/noisy.txt": CLEAN.encode()}


OTHER_TEXTS = ["LICENSE", "LICENSE.txt", "requirements-dev.txt", "docs/CMakeLists.txt", "robots.txt", "README.txt"]


def test_texts_that_are_no_articles_by_their_names_are_left_alone(project):
    folder, run = project
    (folder / "docs").mkdir()
    for name in OTHER_TEXTS:
        (folder / name).write_text(NOISY, encoding="utf-8")
    for hook in ("noisefilter-check", "noisefilter"):
        assert "no files to check" in run(hook, 0, *OTHER_TEXTS)
    assert "Passed" in run("noisefilter-check", 0, "articles/clean.txt", *OTHER_TEXTS)


def test_noisefilter_labels_validates_label_files_only(project):
    folder, run = project
    output = run("noisefilter-labels", 0)
    assert "2 articles, 4 paragraphs, no problems" in output
    write_labels(folder / "good.jsonl", [labelled("bad", ("Rain.", "noise"))])
    output = run("noisefilter-labels", 1)
    assert "exit code: 3" in output
    assert "good.jsonl:1: paragraphs[0]: unknown label 'noise'" in output
    assert "no files to check" in run("noisefilter-labels", 0, "articles/noisy.txt", "notes.md")
