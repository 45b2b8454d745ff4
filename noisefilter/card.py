"""The model card: what a model was trained on, what it does well and badly, in Markdown."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from noisefilter.evaluation import Evaluation, Figure, Realised
from noisefilter.model import Model

_TITLES = {
    "noise_recall": "noise recall",
    "boilerplate_recall": "boilerplate recall",
    "off_topic_recall": "off_topic recall",
    "content_loss": "content loss (paragraphs)",
    "content_word_loss": "content loss (words)",
    "precision": "precision",
    "average_precision": "average precision",
}


def write_card(model: Model, tests: Mapping[str, Evaluation], budgets: Mapping[str, Sequence[Realised]]) -> str:
    """Return the card of a model.

    Parameters
    ----------
    model : Model
    tests : mapping of str to Evaluation
        Its figures by the name of the test set.
    budgets : mapping of str to sequence of Realised
        What each loss budget came to, by the name of the set.
    """
    about = model.about
    lines = [
        "# Model card",
        "",
        f"Finds boilerplate and off_topic paragraphs in news articles (language: {about['language']}). TF-IDF and "
        "logistic regression; every paragraph is decided in the context of its article.",
        "",
        "## Training data",
        "",
        f"{about['articles']} articles of {about['sites']} sites, {about['paragraphs']} paragraphs; "
        f"digest `{about['training_digest'][:16]}`. Thresholds were found on {about['calibrated_on']} of the articles.",
        "",
    ]
    lines += [f"- {_source(source)}" for source in about["training_data"]]
    lines += ["", "## What a loss budget buys", ""]
    lines += [
        "Measured out of fold, on sites that the fitted model had not seen. Thresholds are chosen by conformal risk "
        "control over articles (arXiv 2208.02814): on one more article of this kind, the expected share of content "
        "paragraphs lost is at most the budget. Content loss is the mean over articles, its interval a bootstrap "
        "over sites.",
        "",
        "| loss budget | threshold | content loss | interval | noise recall |",
        "|--:|--:|--:|--:|--:|",
    ]
    for row in model.budgets.rows:
        lines.append(
            f"| {row.budget:.2%} | {row.threshold:.4f} | {row.loss:.2%} | {row.loss_low:.2%} – {row.loss_high:.2%} "
            f"| {row.recall:.1%} |"
        )
    lines += [
        "",
        "## Promised and realised",
        "",
        "Whole cleanings, in rounds. *By site* means a set that is learnt from: each article was cleaned by a model of "
        "the other parts of the sites, its thresholds found there too.",
    ]
    for name, realised in budgets.items():
        lines += ["", f"### {name}", "", *_realised(realised)]
    for name, evaluation in tests.items():
        lines += ["", f"## On {name} (never trained on)", ""]
        lines += [
            f"{evaluation.articles} articles, {evaluation.paragraphs} paragraphs, default loss budget.",
            "",
            "| figure | value | 95 % interval |",
            "|---|--:|--:|",
        ]
        for key, title in _TITLES.items():
            figure = evaluation.figures[key]
            lines.append(f"| {title} | {_measured(figure, '.3f')} | {_interval(figure, '.3f')} |")
    lines += [
        "",
        "## Limits",
        "",
        "English news. Short lines are the hard ones: real sub-headings, names and list items look like furniture, and "
        "an unmarked caption like a sentence of the story. When in doubt a paragraph is kept.",
        "",
    ]
    return "\n".join(lines)


def _realised(rows: Sequence[Realised]) -> list[str]:
    """Return a table and a plot (Mermaid) of realised against promised loss, in per cent."""
    promised = [round(100 * row.budget, 4) for row in rows]
    found = [round(100 * row.loss.value, 3) if not math.isnan(row.loss.value) else 0.0 for row in rows]
    table = [
        f"| {row.budget:.2%} | {_measured(row.loss, '.2%')} | {_interval(row.loss, '.2%')} "
        f"| {_measured(row.recall, '.1%')} | {_interval(row.recall, '.1%')} |"
        for row in rows
    ]
    return [
        "| promised loss | realised (mean over articles) | interval | noise recall | interval |",
        "|--:|--:|--:|--:|--:|",
        *table,
        "",
        "```mermaid",
        "xychart-beta",
        '    title "Content loss in per cent: promised (bars) and realised (line)"',
        f"    x-axis [{', '.join(map(str, promised))}]",
        f'    y-axis "per cent" 0 --> {max(*promised, *found)}',
        f"    bar [{', '.join(map(str, promised))}]",
        f"    line [{', '.join(map(str, found))}]",
        "```",
    ]


def _measured(figure: Figure, how: str) -> str:
    return "none to measure" if math.isnan(figure.value) else f"{figure.value:{how}}"


def _interval(figure: Figure, how: str) -> str:
    return "" if math.isnan(figure.low) else f"{figure.low:{how}} – {figure.high:{how}}"


def _source(source: Mapping[str, Any]) -> str:
    text = f"`{source['name']}`: {source['articles']} articles, {source['licence']}, sha256 `{source['sha256'][:16]}`"
    return text + (f"; {source['attribution']}" if source.get("attribution") else "")
