"""The documentation names what the command line has, and nothing that it has not."""

import ast
import re
import subprocess
from itertools import takewhile
from pathlib import Path

import pytest
import typer.main
import yaml
from cli_support import EXECUTABLE, ROOT, TIMEOUT

from noisefilter.cli import app

PACKAGE = ROOT / "noisefilter"
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    path for pattern in ("*.md", "training/*.md", "fixtures/*.md", "noisefilter/**/*.md") for path in ROOT.glob(pattern)
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
_ANY_OPTION = re.compile(r"(?<![\w-])(?:--[a-z][a-z-]+|-[a-zA-Z](?![\w-]))")


def _commands(command, name=()):
    """Return every command of the tree by its name, a tuple of words."""
    found = {name: command}
    for word, below in getattr(command, "commands", {}).items():
        found |= _commands(below, (*name, word))
    return found


COMMANDS = _commands(typer.main.get_command(app))
TAKEN = {
    name: {"-h", "--help", *(option for parameter in command.params for option in parameter.opts)}
    for name, command in COMMANDS.items()
}
OPTIONS = {option: name for name in COMMANDS for option in TAKEN[name] - {"--help"} if option.startswith("--")}


def _code():
    """Return the README's code: blocks and spans."""
    blocks = re.findall(r"^```(?:console|sh|bash)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    text = re.sub(r"^```.*?^```", "", README, flags=re.DOTALL | re.MULTILINE)
    return [line.removeprefix("$ ") for block in blocks for line in block.split("\n") if line.startswith("$ ")] + [
        " ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)
    ]


def _verbs(words):
    """Return the commands that words begin with; ``a|b`` is two of them."""
    first, second, *_ = [*takewhile(re.compile("[a-z|]+").fullmatch, words[:2]), "", ""]
    if hasattr(COMMANDS.get((first,)), "commands") and second:
        return [(first, below) for below in second.split("|")]
    return [(verb,) for verb in first.split("|") if verb]


def _parts():
    """Return the words of every command in the README's code, those of a pipeline apart."""
    return [part.split() for code in _code() for part in re.split(r"\s\|\s|[;&]", code.replace("\\|", "|"))]


def _called():
    """Return the verbs of every ``noisefilter …`` in the README's code."""
    return [name for words in _parts() if words[:1] == ["noisefilter"] for name in _verbs(words[1:])]


def _shown():
    """Return command and options of every ``noisefilter …`` in the README's code, and of every ``verb --option``."""
    shown = []
    for words in _parts():
        by_name = words[:1] == ["noisefilter"]
        names = _verbs(words[1:] if by_name else words)
        if by_name or set(names) & set(COMMANDS):
            shown += [(name, _ANY_OPTION.findall(" ".join(words))) for name in names or [()]]
    return shown


def _promised():
    """Return command and options of every item of the README that begins with the verbs it is about."""
    items = re.findall(r"^- ((?:`[a-z ]+`(?:, )?)+): ((?:.*\n)(?:  .*\n)*)", README, re.MULTILINE)
    return [
        (
            tuple(verb.split()),
            [option for span in re.findall("`(-[^`]+)`", said) for option in _ANY_OPTION.findall(span)],
        )
        for verbs, said in items
        for verb in re.findall("`([^`]+)`", verbs)
    ]


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


@pytest.mark.parametrize("told", [_shown, _promised])
def test_every_command_in_the_readme_has_the_options_that_it_is_shown_with(told):
    pairs = [(name, option) for name, options in told() for option in options]
    assert len(pairs) > 15
    assert [(name, option) for name, option in pairs if option not in TAKEN.get(name, ())] == []


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


def _room(module):
    """Return what the table calls the home of a module: a folder, or the module itself."""
    name = module.split(".")[1] if "." in module else "__init__"
    return f"{name}/" if (PACKAGE / name).is_dir() else name


def _imports(path):
    """Yield what a file imports of the package, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "noisefilter":
            yield from (_room(f"noisefilter.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("noisefilter."):
            yield _room(node.module)
        elif isinstance(node, ast.Import):
            yield from (_room(alias.name) for alias in node.names if alias.name.split(".")[0] == "noisefilter")


def _imported():
    """Return the modules and folders of the package, and which others each imports."""
    rooms = {}
    for path in PACKAGE.rglob("*.py"):
        first, *more = path.relative_to(PACKAGE).with_suffix("").parts
        room = f"{first}/" if more else first
        rooms[room] = rooms.get(room, set()) | set(_imports(path)) - {room}
    return rooms


def _table():
    """Return what the table of the architecture says each module knows, in its order."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("| module | one line | knows |")[1]
    rows = re.findall(r"^\| `([^`]+)` \| [^|]+ \| ?([^|]*?) ?\|$", text.split("\n\n")[0], re.MULTILINE)
    assert len(rows) == text.split("\n\n")[0].count("\n| `")
    folders = {name for name, _ in rows if name.endswith("/")}
    named = [(name, {word.strip() for word in knows.split(",")} - {""}) for name, knows in rows]
    return {name: {f"{one}/" if f"{one}/" in folders else one for one in knows} for name, knows in named}


def test_the_architecture_tells_what_each_module_imports():
    imported, table = _imported(), _table()
    assert sorted(table) == sorted(imported)
    assert {name: sorted(knows) for name, knows in table.items()} == {name: sorted(imported[name]) for name in table}


def test_a_module_imports_only_from_above():
    places = list(_table())
    for name, knows in _table().items():
        below = {one for one in knows if places.index(one) > places.index(name)}
        assert not below, f"{name} imports {', '.join(sorted(below))} from below itself"


def test_the_documents_are_there():
    names = {str(path.relative_to(ROOT)) for path in DOCUMENTS}
    assert names >= {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "training/README.md"}
    assert (ROOT / "LICENSE").exists()


def test_the_readme_names_every_hook_and_no_other():
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    block = next(yaml.safe_load(code) for code in re.findall(r"^```yaml\n(.*?)^```", README, re.DOTALL | re.MULTILINE))
    assert {hook["id"] for hook in block["repos"][0]["hooks"]} == {hook["id"] for hook in hooks}


def test_hooks_in_the_readme_are_given_options_of_their_commands():
    entries = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    names = {hook["id"]: _verbs(hook["entry"].split()[1:])[0] for hook in entries}
    blocks = [yaml.safe_load(code) for code in re.findall(r"^```yaml\n(.*?)^```", README, re.DOTALL | re.MULTILINE)]
    for hook in (
        hook for block in blocks for hook in (block if isinstance(block, list) else block["repos"][0]["hooks"])
    ):
        assert {word for word in hook.get("args", ()) if word.startswith("-")} <= TAKEN[names[hook["id"]]]


def test_every_hook_calls_a_command_that_exists():
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")):
        words = hook["entry"].split()
        assert words[0] == "noisefilter"
        name = tuple(word for word in words[1:] if not word.startswith("-"))
        assert {word for word in words if word.startswith("-")} <= TAKEN[name]
        assert hook["require_serial"] is True


def test_make_demo_cleans_its_article_and_explains_it():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    example = re.search(r"^EXAMPLE \?= (.*)$", makefile, re.MULTILINE)[1]
    commands = re.search(r"^demo: setup.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1].split("\n\t")
    assert len(commands) == 2
    told = [
        subprocess.run(
            [EXECUTABLE, *command.replace("$(EXAMPLE)", example).split()[1:]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        for command in commands
    ]
    assert [one.returncode for one in told] == [0, 0]
    diff, explanation = (one.stdout for one in told)
    dropped = [
        line[1:]
        for line in diff.splitlines()
        if line.startswith("-") and line[1:].strip() and not line.startswith("---")
    ]
    assert len(dropped) == 6
    assert all(text[:20] in explanation for text in dropped)
