"""The systems that are timed on the same paragraphs, each used as its documentation says.

What turns articles into a system's own input (HTML, documents, lists) is not timed; what it is loaded from neither.
"""

import html
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from texts import Corpus

from noisefilter.article import Article


class System(Protocol):
    """What the benchmark asks of a system."""

    name: str
    how: str
    packages: tuple[str, ...]

    def load(self, corpus: Corpus) -> None:
        """Import and load what it needs; ImportError if that is not installed."""

    def prepare(self, articles: Sequence[Article]) -> Any:
        """Return articles in the form that it takes."""

    def run(self, given: Any) -> Any:
        """Do the work that is timed."""


def texts_of(article: Article) -> list[str]:
    """Return an article's paragraphs."""
    return [paragraph.text for paragraph in article.paragraphs]


def page_of(article: Article) -> str:
    """Return an article as a small HTML page."""
    body = "".join(f"<p>{html.escape(text)}</p>\n" for text in texts_of(article))
    title = html.escape(article.title or "")
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><article>{body}</article></body></html>"
    )


class Ours:
    """noisefilter scores: each paragraph in its article, once."""

    packages: tuple[str, ...] = ("noisefilter",)

    def __init__(self, name: str, *, kernel: bool) -> None:
        self.name, self.kernel = name, kernel
        scorer = "compiled" if kernel else "scikit-learn's estimators"
        self.how = f"probabilities of all paragraphs in their article, {scorer}, article by article"

    def load(self, corpus: Corpus) -> None:
        from noisefilter.bundle import load_model
        from noisefilter.kernel import built

        if self.kernel and not built():
            raise ImportError("the compiled kernel was not built: there was no C++ compiler at install")
        self.scorer = load_model(kernel=self.kernel).scorer

    def prepare(self, articles: Sequence[Article]) -> Any:
        return articles

    def run(self, given: Sequence[Article]) -> Any:
        for article in given:
            self.scorer.read(article).probabilities(range(len(article.paragraphs)))


class Cleaning(Ours):
    """noisefilter cleans: as many rounds of scoring as it takes, and the decisions."""

    def __init__(self, name: str) -> None:
        super().__init__(name, kernel=True)
        self.how = "the whole of cleaning: rounds of scoring, decisions, the cleaned text"

    def load(self, corpus: Corpus) -> None:
        super().load(corpus)
        from noisefilter.bundle import load_model
        from noisefilter.cleaner import NoiseFilter

        self.cleaner = NoiseFilter(load_model(kernel=True))

    def run(self, given: Sequence[Article]) -> Any:
        for article in given:
            _ = self.cleaner.clean(article).text


class PlainPipeline:
    """Our lexical features and the first regression alone: no context, no looks."""

    name = "scikit-learn Pipeline, lexical features alone"
    how = "LexicalFeatures and the shipped model's first regression, all paragraphs in one call of predict_proba"
    packages: tuple[str, ...] = ("scikit-learn", "scipy", "numpy")

    def load(self, corpus: Corpus) -> None:
        from sklearn.pipeline import Pipeline

        from noisefilter.bundle import load_model

        classifier = load_model(kernel=False).classifier
        self.pipeline = Pipeline([("terms", classifier.lexical_), ("regression", classifier.lexical_model_)])

    def prepare(self, articles: Sequence[Article]) -> Any:
        return [text for article in articles for text in texts_of(article)]

    def run(self, given: list[str]) -> Any:
        return self.pipeline.predict_proba(given)


class FastText:
    """fastText supervised, words 1-2 and characters 2-4, as in the quality benchmark."""

    name = "fastText predict"
    how = (
        "supervised model of words 1–2 and characters 2–4 (one epoch: its speed does not depend on that), "
        "all paragraphs in one call of predict"
    )
    packages: tuple[str, ...] = ("fasttext-numpy2",)

    def load(self, corpus: Corpus) -> None:
        import fasttext

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            labels = ("content", "boilerplate", "off_topic")
            lines = (
                f"__label__{labels[at % 3]} {' '.join(text.split())}\n"  # what it says is not asked here
                for at, text in enumerate(corpus.paragraphs)
            )
            path.write_text("".join(lines), encoding="utf-8")
            settings = {"epoch": 1, "dim": 50, "wordNgrams": 2, "minn": 2, "maxn": 4, "bucket": 200_000}
            self.model = fasttext.train_supervised(str(path), **settings, thread=1, seed=0, verbose=0)

    def prepare(self, articles: Sequence[Article]) -> Any:
        return [" ".join(text.split()) for article in articles for text in texts_of(article)]

    def run(self, given: list[str]) -> Any:
        return self.model.predict(given)


class Pages:
    """What takes a page of HTML: an article in <p> of <article>, nothing else on it."""

    extract: Callable[[Any], Any]

    def prepare(self, articles: Sequence[Article]) -> Any:
        return [page_of(article) for article in articles]

    def run(self, given: Sequence[Any]) -> Any:
        for page in given:
            self.extract(page)


class JusText(Pages):
    """jusText with its English stop list, which is read once."""

    name = "jusText"
    how = "justext(page, English stop list), an article as a page of HTML in UTF-8"
    packages: tuple[str, ...] = ("justext", "lxml")

    def load(self, corpus: Corpus) -> None:
        import justext

        words = justext.get_stoplist("English")
        self.extract = lambda page: justext.justext(page, words)

    def prepare(self, articles: Sequence[Article]) -> Any:
        return [page.encode() for page in super().prepare(articles)]


class Trafilatura(Pages):
    """trafilatura, default settings."""

    name = "trafilatura"
    how = "extract(page), default settings, an article as a page of HTML"
    packages: tuple[str, ...] = ("trafilatura", "lxml")

    def load(self, corpus: Corpus) -> None:
        import trafilatura

        self.extract = trafilatura.extract


class Resiliparse(Pages):
    """resiliparse's extraction of main content."""

    name = "resiliparse"
    how = "extract_plain_text(page, main_content=True), an article as a page of HTML"
    packages: tuple[str, ...] = ("resiliparse",)

    def load(self, corpus: Corpus) -> None:
        from resiliparse.extract.html2text import extract_plain_text

        self.extract = lambda page: extract_plain_text(page, main_content=True)


class Datatrove:
    """A filter of datatrove; it takes documents, and changes them, so each round gets new ones."""

    packages: tuple[str, ...] = ("datatrove", "spacy")

    def __init__(self, name: str, how: str, kind: str, *, alone: bool) -> None:
        self.name, self.how, self.kind, self.alone = name, how, kind, alone

    def load(self, corpus: Corpus) -> None:
        os.environ.setdefault("LOGURU_LEVEL", "ERROR")
        from datatrove.data import Document
        from datatrove.pipeline import filters

        self.document = Document
        self.filter = getattr(filters, self.kind)()
        self.run([Document(text="One line. It has two sentences.", id="0")])  # here it asks for what it lacks

    def prepare(self, articles: Sequence[Article]) -> Any:
        if self.alone:
            texts = [text for article in articles for text in texts_of(article)]
        else:
            texts = ["\n".join(texts_of(article)) for article in articles]
        return [self.document(text=text, id=str(number)) for number, text in enumerate(texts)]

    def run(self, given: Sequence[Any]) -> Any:
        for _ in self.filter.run(given):
            pass


KERNEL = "noisefilter, kernel"
REFERENCE = "noisefilter, reference"
CLEANING = "noisefilter, kernel: cleaning"
C4 = "datatrove C4 filter"
GOPHER = "datatrove Gopher filter"
GOPHER_ALONE = "datatrove Gopher filter, by paragraph"


def all_systems() -> list[System]:
    """Return the systems, ours first."""
    return [
        Ours(KERNEL, kernel=True),
        Cleaning(CLEANING),
        Ours(REFERENCE, kernel=False),
        PlainPipeline(),
        FastText(),
        JusText(),
        Trafilatura(),
        Resiliparse(),
        Datatrove(C4, "C4QualityFilter().run, an article as a document of lines", "C4QualityFilter", alone=False),
        Datatrove(GOPHER, "GopherQualityFilter().run, an article as a document", "GopherQualityFilter", alone=False),
        Datatrove(
            GOPHER_ALONE, "GopherQualityFilter().run, a paragraph as a document", "GopherQualityFilter", alone=True
        ),
    ]
