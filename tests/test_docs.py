"""The documentation names what the command line has, and nothing that it has not."""

import re
from pathlib import Path

import pytest
import typer.main
import yaml
from cli_support import ROOT

from noisefilter.cli import app

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    path for pattern in ("*.md", "training/*.md", "fixtures/*.md", "noisefilter/**/*.md") for path in ROOT.glob(pattern)
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def _commands(command, name=()):
    """Return every command of the tree by its name, a tuple of words."""
    found = {name: command}
    for word, below in getattr(command, "commands", {}).items():
        found |= _commands(below, (*name, word))
    return found


COMMANDS = _commands(typer.main.get_command(app))
OPTIONS = {
    option: name
    for name, command in COMMANDS.items()
    for parameter in command.params
    for option in parameter.opts
    if option.startswith("--")
}


def _code():
    """Return the README's code: blocks and spans."""
    blocks = re.findall(r"^```(?:console|sh|bash)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    text = re.sub(r"^```.*?^```", "", README, flags=re.DOTALL | re.MULTILINE)
    return [line.removeprefix("$ ") for block in blocks for line in block.split("\n") if line.startswith("$ ")] + [
        " ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)
    ]


def _called():
    """Return the verbs of every ``noisefilter …`` in the README's code; ``a|b`` is two of them."""
    called = []
    for code in _code():
        for match in re.finditer(r"(?:^|[;&|] *)noisefilter ([^;&]*)", code):
            words = match[1].replace("\\|", "|").split()
            verbs = [word for word in words if re.fullmatch(r"[a-z|]+", word)][:2]
            if not verbs or words[0] != verbs[0]:
                continue
            for first in verbs[0].split("|"):
                seconds = verbs[1].split("|") if len(verbs) > 1 and words[1:2] == verbs[1:] else []
                group = bool(getattr(COMMANDS.get((first,)), "commands", {}))
                called += [(first, second) for second in seconds] if group else [(first,)]
    return called


@pytest.mark.parametrize("name", [name for name in COMMANDS if name], ids=" ".join)
def test_every_verb_is_in_the_readme(name):
    groups = {called[0] for called in _called()}
    assert name in _called() or (hasattr(COMMANDS[name], "commands") and name[0] in groups)


def test_every_command_in_the_readme_exists():
    assert len(_called()) > 10
    assert set(_called()) <= set(COMMANDS)


@pytest.mark.parametrize("option", sorted(OPTIONS))
def test_every_option_is_in_the_readme(option):
    assert option in _OPTION.findall(README), f"{option} of noisefilter {' '.join(OPTIONS[option])}"


def test_every_option_in_the_readme_exists():
    of_others = {"--help"}
    named = {
        option for code in _code() if "noisefilter" in code or code.startswith("-") for option in _OPTION.findall(code)
    }
    assert named
    assert named <= set(OPTIONS) | of_others


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_internal_links_lead_to_files(document):
    text = document.read_text(encoding="utf-8")
    for target in _LINK.findall(text):
        if not re.match(r"[a-z]+:", target) and not target.startswith("#"):
            assert (document.parent / target.split("#")[0]).exists(), f"{document.name}: {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_named_in_code_exist(document):
    """A path in back quotes that starts in one of our folders is there; ``name`` stands for any name."""
    roots = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    for span in re.findall(r"`([^`\n]+)`", document.read_text(encoding="utf-8")):
        is_path = re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+/?", span) and span.split("/")[0] in roots
        if is_path and not Path(span).name.startswith("name."):
            assert (ROOT / span).exists(), f"{document.name}: {span}"


def test_the_documents_are_there():
    names = {str(path.relative_to(ROOT)) for path in DOCUMENTS}
    assert names >= {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "training/README.md"}
    assert (ROOT / "LICENSE").exists()


def test_the_readme_names_every_hook_and_no_other():
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    block = next(yaml.safe_load(code) for code in re.findall(r"^```yaml\n(.*?)^```", README, re.DOTALL | re.MULTILINE))
    assert {hook["id"] for hook in block["repos"][0]["hooks"]} == {hook["id"] for hook in hooks}


def test_every_hook_calls_a_command_that_exists():
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")):
        words = hook["entry"].split()
        assert words[0] == "noisefilter"
        assert tuple(word for word in words[1:] if not word.startswith("-")) in COMMANDS
        assert {word for word in words if word.startswith("--")} <= set(OPTIONS)
        assert hook["require_serial"] is True
