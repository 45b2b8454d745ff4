import re

import pytest

from noisefilter.errors import ExitCode, RulesError
from noisefilter.rules import Rule, Rules, load_rules


@pytest.fixture
def rules_of(tmp_path):
    def load(text):
        path = tmp_path / "rules.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_rules(path)

    return load


@pytest.mark.parametrize(
    ("rule", "text", "source", "verdict"),
    [
        ('literal = "Latest News"', "Latest News", None, "drop"),
        ('literal = "Latest News"', " Latest\u00a0News\u200b ", None, "drop"),
        ('literal = "It\'s on"', "It’s on", None, "drop"),
        ('literal = "Latest News"', "Latest News from Tampa", None, None),
        ('literal = "Latest News"', "latest news", None, None),
        ("pattern = '^By \\w+$'", "By Okafor", None, "drop"),
        ("pattern = '^By \\w+$'", "Written by Okafor", None, None),
        ("pattern = '(?i)okafor'", "By OKAFOR in Tampa", None, "drop"),
        ("pattern = 'a\\nb'", "a\nb", None, "drop"),
        ('literal = "x"\nsource = "*.example.com"', "x", "news.example.com", "drop"),
        ('literal = "x"\nsource = "data/tribune/*"', "x", "data/tribune/1.txt", "drop"),
        ('literal = "x"\nsource = "*.example.com"', "x", "NEWS.EXAMPLE.COM", None),
        ('literal = "x"\nsource = "*.example.com"', "x", None, None),
        ('literal = "x"\nsource = "*"', "x", None, "drop"),
    ],
)
def test_a_rule_speaks_of_what_it_names(rules_of, rule, text, source, verdict):
    assert rules_of(f'[[rule]]\naction = "drop"\n{rule}\n').verdict(text, source) == verdict


@pytest.mark.parametrize("order", [("keep", "drop"), ("drop", "keep"), ("drop", "drop", "keep")])
def test_keeping_wins(rules_of, order):
    rules = rules_of("".join(f'[[rule]]\naction = "{action}"\npattern = "News"\n' for action in order))
    assert rules.verdict("Latest News", None) == "keep"
    assert rules.verdict("Latest Views", None) is None


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_a_file_may_hold_no_rule(rules_of, text):
    assert rules_of(text) == Rules()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rule = 3", "only [[rule]] tables are known"),
        ('[rule]\naction = "drop"\nliteral = "x"', "only [[rule]] tables are known"),
        ('[[rules]]\naction = "drop"\nliteral = "x"', "only [[rule]] tables are known"),
        ('rule = ["drop"]', "rule 1: use the strings action, literal or pattern, and source"),
        ('[[rule]]\naction = "drop"\nregex = "x"', "rule 1: use the strings action, literal or pattern, and source"),
        ('[[rule]]\naction = "drop"\nliteral = 3', "rule 1: use the strings action, literal or pattern, and source"),
        ('[[rule]]\nliteral = "x"', 'rule 1: action is None: write "keep" or "drop"'),
        ('[[rule]]\naction = "Drop"\nliteral = "x"', 'rule 1: action is \'Drop\': write "keep" or "drop"'),
        ('[[rule]]\naction = "drop"', "rule 1: give either literal or pattern"),
        ('[[rule]]\naction = "drop"\nliteral = "x"\npattern = "x"', "rule 1: give either literal or pattern"),
        ('[[rule]]\naction = "drop"\nsource = "x"', "rule 1: give either literal or pattern"),
        ('[[rule]]\naction = "drop"\npattern = "(x"', "rule 1: pattern is not a regular expression"),
        ('[[rule]]\naction = "drop"\npattern = "x{99999999999}"', "rule 1: pattern is not a regular expression"),
        ('[[rule]]\naction = "keep"\nliteral = "x"\n[[rule]]\naction = "go"', "rule 2: action is 'go'"),
        ("[[rule]\n", "not TOML"),
        (b'[[rule]]\nliteral = "\xe9"', "not TOML"),
    ],
)
def test_a_malformed_rule_is_named(rules_of, text, message):
    with pytest.raises(RulesError) as caught:
        rules_of(text)
    assert message in str(caught.value)
    assert "rules.toml: " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(rules_of):
    rules = rules_of('\ufeff[[rule]]\r\naction = "drop"\r\nliteral = "x"\r\n')
    assert rules.verdict("x", None) == "drop"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path in (tmp_path / "missing.toml", tmp_path):
        with pytest.raises(RulesError, match=r"cannot be read .*check its path"):
            load_rules(path)


def test_a_pattern_that_can_be_read_in_two_ways_is_refused_quietly(rules_of, recwarn):
    with pytest.raises(RulesError, match=r"rule 1: pattern can be read in two ways .*: write a backslash before it"):
        rules_of("[[rule]]\naction = 'drop'\npattern = '[[a]'")
    assert not recwarn.list


@pytest.mark.parametrize(
    "wrong", [{"literal": 5}, {"pattern": 5}, {"pattern": re.compile(b"x")}, {"literal": "x", "source": 5}]
)
def test_a_rule_of_other_types_is_refused(wrong):
    with pytest.raises(ValueError, match=r"write (it|them) so"):
        Rule("drop", **wrong)
