"""Decisions as plain rows, the same in ``clean --decisions`` and ``explain --json``."""

from typing import Any

from noisefilter.cleaner import CleanedArticle


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
