"""Public sets: what may be used for what, and their pages with our labels.

The texts of public sets belong to others, so they never enter the project. A
registry (``training/sources.toml``) names each set with its origin, licence
and digest; the pages are read from a folder of the user's. Labels that were
made for the project lie beside the registry as annotations, which name a
paragraph by page, position and digest and hold no word of it.
"""

import gzip
import hashlib
import json
import tomllib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from noisefilter.article import Label
from noisefilter.errors import LabelError, RecipeError
from noisefilter.labels import LabelledArticle, LabelledParagraph, read_labels
from noisefilter.text import normalise

_LABELLED = ("train", "evaluate")
_USES = (*_LABELLED, "clean", "none")


@dataclass(frozen=True, slots=True)
class Source:
    """One public set of the registry.

    Attributes
    ----------
    name, origin, licence : str
    file : str
        Its name in the folder of public sets.
    sha256 : str
        Digest of that file.
    use : str
        ``train``: may have a part in a model that ships; ``evaluate``: never, it is tested on. ``clean``: articles
        without labels, tested on with inserts put into them, and never learnt from either; ``none``: not used.
    attribution : str
        The line that a model trained on it carries.
    labels : str
        How its labels map to ours.
    reason : str
        Why it is not used, where it is not.
    annotations : tuple of Path
        Files with our labels; then only annotated pages are read. None: the file follows our own schema.
    calibrate : bool
        Whether thresholds are found on it too: whether it is the kind of article that a loss budget is promised for.
    leave_out : tuple of str
        Sites whose articles are not read, because a set to test on has them too.
    """

    name: str
    origin: str
    licence: str
    file: str
    sha256: str
    use: str
    attribution: str = ""
    labels: str = ""
    reason: str = ""
    annotations: tuple[Path, ...] = ()
    calibrate: bool = True
    leave_out: tuple[str, ...] = ()

    @property
    def labelled(self) -> bool:
        """Whether there are labels for it that can be learnt from or tested on: `read_source` reads no other set."""
        return self.use in _LABELLED


def load_sources(path: Path) -> list[Source]:
    """Read a registry of public sets from TOML.

    Raises
    ------
    RecipeError
        If it cannot be read, or an entry is not as it should be.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = table["source"]
        sources = [_source(entry, path) for entry in entries]
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror}): check `sources` in the recipe") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not TOML ({error}): correct it") from None
    except (KeyError, TypeError, ValueError) as error:
        names = ", ".join(entry.name for entry in fields(Source))
        raise RecipeError(f"{path}: {error}: write [[source]] tables with {names}") from None
    return sources


def _source(entry: Mapping[str, Any], path: Path) -> Source:
    annotations = tuple(path.parent / name for name in entry.get("annotations", ()))
    source = Source(**{**entry, "annotations": annotations, "leave_out": tuple(entry.get("leave_out", ()))})
    if source.use not in _USES:
        uses = f"{', '.join(_USES[:-1])} or {_USES[-1]}"
        raise RecipeError(f"{path}: {source.name}: unknown use {source.use!r}: write {uses}")
    return source


def read_source(source: Source, folder: Path) -> list[LabelledArticle] | None:
    """Return the labelled articles of a public set, or None if its file is not in the folder.

    Raises
    ------
    LabelError
        If the file is not the one that the registry knows, or an annotation does not fit it; or if the set has no
        labels to learn from or to test on.
    """
    if not source.labelled:
        raise LabelError(f'{source.name}: has no labels for our classes (use = "{source.use}"): leave it out')
    path = folder / source.file
    if not path.is_file():
        return None
    if hashlib.sha256(path.read_bytes()).hexdigest() != source.sha256:
        raise LabelError(f"{path}: not the file that the registry of sources knows: fetch it again, or pin its digest")
    try:
        articles = _annotated_pages(path, source.annotations) if source.annotations else read_labels([path])
    except OSError as error:
        raise LabelError(
            f"{error.filename}: cannot be read ({error.strerror}): check the registry of sources"
        ) from None
    except (AttributeError, EOFError, KeyError, TypeError, ValueError, zlib.error) as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise LabelError(
            f"{source.name}: its pages or annotations are damaged ({what[:160]}): fetch them again"
        ) from None
    return [article for article in articles if article.site.removeprefix("www.") not in source.leave_out]


def _annotated_pages(path: Path, annotations: Sequence[Path]) -> list[LabelledArticle]:
    pages = {row["id"]: row for row in _rows(path)}
    return [
        _annotated(pages, row, f"{file}:{number}") for file in annotations for number, row in enumerate(_rows(file), 1)
    ]


def _annotated(pages: Mapping[str, Any], row: Mapping[str, Any], where: str) -> LabelledArticle:
    """Return a page of a public set with the labels of one line of annotations."""
    page = pages.get(row["page"])
    if page is None or len(page["paragraphs"]) != len(row["paragraphs"]):
        raise LabelError(f"{where}: page {row['page']!r} is not in the set as it was labelled: label it anew")
    paragraphs = []
    for number, (entry, labelled) in enumerate(zip(page["paragraphs"], row["paragraphs"], strict=True)):
        if paragraph_digest(entry["text"]) != labelled["sha256"]:
            raise LabelError(f"{where}: paragraph {number} has another text than was labelled: label it anew")
        alt = Label(labelled["alt"]) if "alt" in labelled else None
        paragraphs.append(LabelledParagraph(entry["text"], Label(labelled["label"]), labelled.get("kind"), alt))
    return LabelledArticle(
        row["page"], page.get("title") or None, tuple(paragraphs), page["domain"], language="en", where=where
    )


def paragraph_digest(text: str) -> str:
    """Return how annotations name a paragraph: the start of the SHA-256 of its normalised text."""
    return hashlib.sha256(normalise(text).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    yield from (json.loads(line) for line in text.split("\n") if line.strip())
