"""Decisions as plain rows, the same in ``clean --decisions`` and ``explain --json``, and as lines of ``check``."""

import json
from typing import Any

from noisefilter.cleaner import CleanedArticle
from noisefilter.policy import Reason
from noisefilter.records.record import Entry

_SHOWN = 80


def decision_rows(name: str, cleaned: CleanedArticle) -> list[dict[str, Any]]:
    """Return one row a paragraph; places are in characters of the article's text."""
    return [
        {
            "article": name,
            "index": index,
            "start": decision.paragraph.start,
            "end": decision.paragraph.end,
            "text": decision.paragraph.text,
            "label": decision.label.value,
            "probabilities": {label.value: round(share, 6) for label, share in decision.probabilities.items()},
            "noise_probability": round(decision.noise_probability, 6),
            "drop": decision.drop,
            "reason": decision.reason.value,
        }
        for index, decision in enumerate(cleaned.decisions)
    ]


def decisions_as_json(entry: Entry, cleaned: CleanedArticle) -> str:
    """Return the rows of an article as JSON lines."""
    rows = decision_rows(entry.where if entry.whole_file else entry.name, cleaned)
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def findings(entry: Entry, cleaned: CleanedArticle) -> str:
    """Return a line for each paragraph that would go: where it is, what, and its beginning."""
    lines = []
    for decision in cleaned.decisions:
        if decision.drop:
            shown = " ".join(decision.paragraph.text.split())
            shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
            line = f":{cleaned.article.line_of(decision.paragraph)}" if entry.whole_file else ""
            what = "rule" if decision.reason is Reason.RULE else decision.label.value
            lines.append(f"{entry.where}{line}: {what} {decision.noise_probability:.2f} {shown}\n")
    return "".join(lines)
