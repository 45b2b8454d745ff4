"""The sets that systems are held against, and what there is to learn from."""

import gzip
import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from noisefilter.article import Label
from noisefilter.errors import LabelError
from noisefilter.labels import LabelledArticle, LabelledParagraph, read_labels
from noisefilter.sources import Source, load_sources, read_source
from noisefilter.text import normalise

TRAINING = Path(__file__).parent.parent
CORPUS = TRAINING / "corpus"
HOSTS = 300
FEWEST_PARAGRAPHS = 6


@dataclass(frozen=True)
class TestSet:
    """Labelled articles to test on; with `folds`, they are learnt from too, each from the other folds."""

    name: str
    articles: list[LabelledArticle]
    folds: bool = False


def training_articles(folder: Path | None) -> tuple[list[LabelledArticle], dict[str, str]]:
    """Return all that may be trained on, and the set of each article by its id."""
    articles = read_labels([CORPUS / "train.jsonl"])
    source_of = {article.id: "authored" for article in articles}
    for source in load_sources(TRAINING / "sources.toml"):
        found = read_source(source, folder) if folder and source.use == "train" else None
        for article in found or ():
            source_of[article.id] = source.name
            articles.append(article)
    return articles, source_of


def test_sets(folder: Path | None, articles: Sequence[LabelledArticle], source_of: dict[str, str]) -> list[TestSet]:
    """Return the sets that are there; say which are not."""
    sets = [TestSet("authored test", read_labels([CORPUS / "test.jsonl"]))]
    sources = load_sources(TRAINING / "sources.toml")
    for source in sources:
        if source.use == "evaluate":
            found = read_source(source, folder) if folder else None
            if found is None:
                print(f"left out: {source.name} (no {source.file}; set NOISEFILTER_DATA)")
            else:
                sets.append(TestSet(source.name, found))
    for name in ("andy_relabelled", "wcxb_relabelled"):
        chosen = [article for article in articles if source_of[article.id] == name]
        if chosen:
            sets.append(TestSet(f"{name} (by site)", chosen, folds=True))
        else:
            print(f"left out: {name} (set NOISEFILTER_DATA)")
    for source in sources:
        if source.use == "clean":
            path = clean_file(source, folder) if folder else None
            if path is None:
                print(f"left out: inserts in {source.name} (no {source.file}; set NOISEFILTER_DATA)")
            else:
                sets += [
                    TestSet(f"{source.name}, {donors} donors", spliced(path, donors))
                    for donors in ("same-topic", "cross-topic")
                ]
    return sets


def clean_file(source: Source, folder: Path) -> Path | None:
    """Return the file of a set of clean articles, or None if it is not in the folder.

    Raises
    ------
    LabelError
        If the file is not the one that the registry knows.
    """
    path = folder / source.file
    if not path.is_file():
        return None
    if hashlib.sha256(path.read_bytes()).hexdigest() != source.sha256:
        raise LabelError(f"{path}: not the file that the registry of sources knows: fetch it again, or pin its digest")
    return path


def spliced(path: Path, donors: str) -> list[LabelledArticle]:
    """Return clean articles with one or two inserts each, from articles on the same topic or on others."""
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().split("\n") if line]
    seen: set[str] = set()
    articles = []
    for row in sorted(rows, key=lambda row: row["id"]):
        key = normalise(row["paragraphs"][0])
        if len(row["paragraphs"]) >= FEWEST_PARAGRAPHS and key not in seen:
            articles.append(row)
        seen.add(key)
    by_topic = defaultdict(list)
    for row in articles:
        by_topic[row["topic"]].append(row)
    chance = random.Random(f"bbc:{donors}")  # noqa: S311
    made = []
    for host in chance.sample(articles, min(HOSTS, len(articles))):
        paragraphs = [LabelledParagraph(text, Label.CONTENT) for text in host["paragraphs"]]
        same = [row for row in by_topic[host["topic"]] if row is not host]
        other = [row for topic, group in sorted(by_topic.items()) if topic != host["topic"] for row in group]
        for _ in range(chance.randint(1, 2)):
            donor = chance.choice(same if donors == "same-topic" else other)
            at = chance.randint(1, len(paragraphs))
            paragraphs[at:at] = [LabelledParagraph(text, Label.OFF_TOPIC, "spliced") for text in _insert(donor, chance)]
        made.append(LabelledArticle(host["id"], host["title"], tuple(paragraphs), site="bbc", topic=host["topic"]))
    return made


def _insert(donor: dict, chance: random.Random) -> list[str]:
    text = chance.choice(donor["paragraphs"][1:-1])
    blurb = " ".join(text.split(". ")[:2]).strip()
    forms = {
        "headline": [donor["title"]],
        "headline_and_blurb": [donor["title"], blurb],
        "blurb": [blurb],
        "paragraph": [text],
    }
    return forms[chance.choice(sorted(forms))]
