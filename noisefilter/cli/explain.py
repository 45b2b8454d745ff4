"""``noisefilter explain``: every paragraph of one article, and what decided it."""

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from noisefilter.cli.options import AsJson, Cap, LossBudget, ModelPath, RulesPath, named
from noisefilter.cli.outcome import name_of, tables, text_of, write_out
from noisefilter.errors import InputError
from noisefilter.files import seen_from_here
from noisefilter.policy import DEFAULT_CAP, DEFAULT_LOSS_BUDGET
from noisefilter.records.formats import Form, form_of

if TYPE_CHECKING:
    from noisefilter.cleaner import CleanedArticle
    from noisefilter.explanation import Explanation
    from noisefilter.policy import Decision

_SHOWN_TERMS = 3
_KEPT_FOR = {
    "title": "the title: always kept",
    "only_content": "kept: all else would go",
    "over_cap": "kept: over the cap",
    "no_known_feature": "kept: no known word",
    "other_language": "kept: other language",
}


def explain(
    file: Annotated[str, typer.Argument(parser=named, metavar="FILE", help="A plain text file, or - for stdin.")],
    as_json: AsJson = False,
    loss_budget: LossBudget = DEFAULT_LOSS_BUDGET,
    model: ModelPath = None,
    rules: RulesPath = None,
    cap: Cap = DEFAULT_CAP,
) -> None:
    """Show every paragraph: decision, probabilities, and the terms and features that decided it."""
    if form_of(file) not in (None, Form.TEXT):
        raise InputError(f"{name_of(file)}: explain takes one article of plain text: for records use clean --decisions")
    if file.lower().endswith(".json"):
        raise InputError(f"{file}: explain takes plain text: give the article's text alone")
    from noisefilter.article import Article
    from noisefilter.cli.cleaning import cleaner_of
    from noisefilter.cli.decisions import decision_rows
    from noisefilter.cli.run import refuse_records
    from noisefilter.explanation import explain as explain_all

    cleaner = cleaner_of(model, loss_budget, cap, rules)
    text = text_of(file)
    if form_of(file) is None:
        refuse_records(text, name_of(file))
    cleaned = cleaner.clean(Article.from_text(text, source=seen_from_here(file)))
    explanations = explain_all(cleaner.model, cleaned)
    if as_json:
        rows = decision_rows(name_of(file), cleaned)
        for row, explanation in zip(rows, explanations, strict=True):
            write_out(json.dumps(row | asdict(explanation), ensure_ascii=False) + "\n")
    else:
        _show(cleaned, explanations)


def why(decision: "Decision") -> str:
    """Return in a few words why a paragraph goes or stays, whatever it reads as."""
    if decision.reason == "rule":
        return f"{'dropped' if decision.drop else 'kept'} by your rules"
    if decision.reason == "content" and decision.label.is_noise:
        return "kept: not noise enough"
    return _KEPT_FOR.get(decision.reason, decision.reason.value)


def _show(cleaned: "CleanedArticle", explanations: "tuple[Explanation, ...]") -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading, justify in (("", "left"), ("why", "left"), ("reads as", "left"), ("noise", "right")):
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("paragraph", ratio=3)
    table.add_column("what weighed most (+ noise, - content)", ratio=2)
    for decision, explanation in zip(cleaned.decisions, explanations, strict=True):
        weights = sorted(
            (*explanation.features[:_SHOWN_TERMS], *explanation.terms[:_SHOWN_TERMS]), key=lambda w: -abs(w.weight)
        )
        table.add_row(
            Text("drop" if decision.drop else "keep", style="red" if decision.drop else "green"),
            why(decision),
            decision.label.value,
            f"{decision.noise_probability:.3f}",
            Text(" ".join(decision.paragraph.text.split())[:160]),
            Text(", ".join(f"{weight.name} {weight.weight:+.1f}" for weight in weights)),
        )
    with tables(160) as console:
        console.print(table)
        console.print(
            f"{len(cleaned.dropped)} of {len(cleaned.decisions)} paragraphs dropped; "
            + (
                f"a paragraph goes from a noise probability of {cleaned.policy.threshold:.3f}."
                if math.isfinite(cleaned.policy.threshold)
                else "at this loss budget none goes."
            ),
            highlight=False,
        )
