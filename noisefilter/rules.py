"""A user's own rules: paragraphs that are always kept, or always dropped."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from noisefilter.errors import RulesError
from noisefilter.text import normalise

_KEYS = {"action", "literal", "pattern", "source"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; it applies to a paragraph by `literal` or by `pattern`.

    Attributes
    ----------
    action : str
        ``keep`` or ``drop``.
    literal : str or None
        The whole paragraph, white space and typography aside.
    pattern : re.Pattern, str or None
        A regular expression, searched for in the paragraph as it stands.
    source : str or None
        A shell pattern (``*.example.com``, ``data/tribune/*``) that the article's source must match; that of a file
        is its path as seen from the current folder.

    Raises
    ------
    ValueError
        If it is no such rule; the message says what is wrong with it.
    """

    action: str
    literal: str | None = None
    pattern: re.Pattern[str] | str | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        if self.action not in ("keep", "drop"):
            raise ValueError(f'action is {self.action!r}: write "keep" or "drop"')
        if (self.literal is None) == (self.pattern is None):
            raise ValueError("give either literal or pattern")
        if not all(isinstance(text, str | None) for text in (self.literal, self.source)):
            raise ValueError("literal and source are strings: write them so")
        if self.literal is not None and not normalise(self.literal):
            raise ValueError("literal is empty: write the paragraph")
        if isinstance(self.pattern, str):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", FutureWarning)
                    object.__setattr__(self, "pattern", re.compile(self.pattern))
            except FutureWarning as error:
                raise ValueError(f"pattern can be read in two ways ({error}): write a backslash before it") from None
            except (re.error, OverflowError, RecursionError) as error:
                raise ValueError(f"pattern is not a regular expression ({error}): correct it") from None
        if self.pattern is not None and not (
            isinstance(self.pattern, re.Pattern) and isinstance(self.pattern.pattern, str)
        ):
            raise ValueError("pattern is not a regular expression on strings: write it so")

    def applies(self, text: str, source: str | None) -> bool:
        """Tell whether the rule speaks of this paragraph."""
        if self.source is not None and not fnmatchcase(source or "", self.source):
            return False
        if self.literal is not None:
            return normalise(text) == normalise(self.literal)
        return isinstance(self.pattern, re.Pattern) and self.pattern.search(text) is not None


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a file. Where several apply, keeping wins.

    Attributes
    ----------
    rules : sequence of Rule

    Raises
    ------
    TypeError
        If they are anything else.
    """

    rules: Sequence[Rule] = ()

    def __post_init__(self) -> None:
        if isinstance(self.rules, Rule) or not all(isinstance(rule, Rule) for rule in self.rules):
            raise TypeError("rules is a sequence of Rule: write Rules([Rule(...), ...])")

    def verdict(self, text: str, source: str | None) -> str | None:
        """Return ``keep``, ``drop`` or, where no rule speaks of the paragraph, None."""
        actions = {rule.action for rule in self.rules if rule.applies(text, source)}
        return "keep" if "keep" in actions else "drop" if actions else None


def load_rules(path: Path | str) -> Rules:
    """Read a ``rules.toml``.

    Parameters
    ----------
    path : path or str

    Raises
    ------
    RulesError
        If the file cannot be read or a rule is not of the form that the README shows.
    """
    import tomllib  # noqa: PLC0415  # most runs have no rules

    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RulesError(f"{path}: cannot be read ({error.strerror}): check its path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RulesError(f"{path}: not TOML ({error}): see the README's example of rules.toml") from None
    entries = table.get("rule", [])
    if set(table) - {"rule"} or not isinstance(entries, list):
        raise RulesError(f"{path}: only [[rule]] tables are known: see the README's example of rules.toml")
    return Rules(tuple(_rule(entry, f"{path}: rule {number}") for number, entry in enumerate(entries, 1)))


def _rule(entry: Any, where: str) -> Rule:
    if not isinstance(entry, dict) or set(entry) - _KEYS or not all(isinstance(v, str) for v in entry.values()):
        raise RulesError(f"{where}: use the strings action, literal or pattern, and source")
    try:
        return Rule(entry.get("action"), entry.get("literal"), entry.get("pattern"), entry.get("source"))  # type: ignore[arg-type]  # what is missing, Rule names
    except ValueError as error:
        raise RulesError(f"{where}: {error}") from None
