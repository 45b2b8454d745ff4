"""``noisefilter check``: say what would go, write nothing."""

import typer

from noisefilter.cli.options import Cap, Files, LossBudget, ModelPath, RulesPath
from noisefilter.cli.outcome import Outcome, each_text, name_of, say, write_out

_SHOWN = 80


def check(
    files: Files = None,
    loss_budget: LossBudget = 0.01,
    model: ModelPath = None,
    rules: RulesPath = None,
    cap: Cap = 0.5,
) -> None:
    """List the paragraphs that would be dropped, file:line; exit 1 if there are any."""
    from noisefilter.article import Article
    from noisefilter.cleaner import NoiseFilter

    cleaner = NoiseFilter(model, loss_budget, cap=cap, rules=rules)
    outcome = Outcome()
    for file, text in each_text(files or [], outcome):
        article = Article.from_text(text, source=file)
        cleaned = cleaner.clean(article)
        if cleaned.over_cap:
            say(f"{name_of(file)}: more than {cap:.0%} of its words look like noise: look at it, or raise --cap")
        outcome.found += bool(cleaned.dropped)
        for decision in cleaned.decisions:
            if decision.drop:
                shown = " ".join(decision.paragraph.text.split())
                shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
                place = f"{name_of(file)}:{article.line_of(decision.paragraph)}"
                write_out(f"{place}: {decision.label.value} {decision.noise_probability:.2f} {shown}\n")
    raise typer.Exit(outcome.exit_code)
