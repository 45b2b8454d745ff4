"""noisefilter finds and drops the paragraphs of a scraped news article that do not belong to it.

>>> import noisefilter as nf
>>> print(nf.clean("Flood closes bridge\\n\\nThe bridge closed after the flood, police said.\\n\\nAdvertisement"))
Flood closes bridge
<BLANKLINE>
The bridge closed after the flood, police said.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from noisefilter.article import Article, Label, Paragraph
    from noisefilter.bundle import load_model
    from noisefilter.cleaner import CleanedArticle, NoiseFilter, clean
    from noisefilter.errors import NoisefilterError
    from noisefilter.model import Model
    from noisefilter.policy import Decision, Reason
    from noisefilter.rules import Rule, Rules, load_rules

_HOME = {
    "Article": "article",
    "CleanedArticle": "cleaner",
    "Decision": "policy",
    "Label": "article",
    "Model": "model",
    "NoiseFilter": "cleaner",
    "NoisefilterError": "errors",
    "Paragraph": "article",
    "Reason": "policy",
    "Rule": "rules",
    "Rules": "rules",
    "clean": "cleaner",
    "load_model": "bundle",
    "load_rules": "rules",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: ``import noisefilter`` stays instant."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415

        return version("noisefilter")
    if name not in _HOME:
        raise AttributeError(f"module 'noisefilter' has no attribute {name!r}")
    return getattr(import_module(f"noisefilter.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
