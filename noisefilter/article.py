"""An article and its paragraphs: splitting text without losing a character, and joining it again."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

_LINE = re.compile(r"[^\r\n]+")
_LINE_ENDS = ("\n", "\r\n", "\r")
_LINE_END = re.compile(r"\r\n|\n|\r")
_BYTE_ORDER_MARK = "\ufeff"
_NARROWEST, _WIDEST = 40, 120
_SLACK = 8
_LOWER_CASE_BREAKS = 0.4


class Label(StrEnum):
    """What a paragraph is in its article."""

    CONTENT = "content"
    BOILERPLATE = "boilerplate"
    OFF_TOPIC = "off_topic"
    AMBIGUOUS = "ambiguous"

    @property
    def is_noise(self) -> bool:
        """Whether a careful editor would take the paragraph out."""
        return self in (Label.BOILERPLATE, Label.OFF_TOPIC)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The unit of decision.

    Attributes
    ----------
    text : str
        The paragraph as it stands in the article, without the line ends around it.
    start, end : int
        Its place in ``Article.text``, in characters: ``article.text[start:end] == text``.
    """

    text: str
    start: int
    end: int


class Article:
    """One scraped document: an optional title and its paragraphs in order.

    Parameters
    ----------
    title : str, optional
        The headline, if it is known apart from the paragraphs.
    paragraphs : sequence of str
        The paragraphs. Each gets exactly one decision, an empty one too.
    source : str, optional
        Where the article is from (a path, a domain); a user's rules may ask for it.

    Raises
    ------
    TypeError
        If one of them is of another type.

    Examples
    --------
    >>> Article(title="Flood", paragraphs=["The river rose.", "Latest News"]).text
    'The river rose.\\n\\nLatest News'
    >>> [p.text for p in Article.from_text("The river rose.\\n\\nLatest News\\n").paragraphs]
    ['The river rose.', 'Latest News']
    """

    __slots__ = ("paragraphs", "source", "text", "title")

    title: str | None
    text: str
    paragraphs: tuple[Paragraph, ...]
    source: str | None

    def __init__(self, title: str | None = None, paragraphs: Sequence[str] = (), *, source: str | None = None) -> None:
        if isinstance(paragraphs, str):
            raise TypeError("paragraphs is a sequence of strings; for one text use Article.from_text(text)")
        paragraphs = tuple(paragraphs)
        if not all(isinstance(text, str) for text in paragraphs):
            raise TypeError("every paragraph is a string")
        if not all(isinstance(text, str | None) for text in (title, source)):
            raise TypeError("title and source are strings, or None")
        placed = []
        start = 0
        for text in paragraphs:
            placed.append(Paragraph(text, start, start + len(text)))
            start += len(text) + 2
        self._set(title, "\n\n".join(paragraphs), placed, source)

    def _set(self, title: str | None, text: str, paragraphs: Iterable[Paragraph], source: str | None) -> None:
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "paragraphs", tuple(paragraphs))
        object.__setattr__(self, "source", source)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an Article does not change: cannot set {name}")

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (self.title, self.text, self.paragraphs, self.source)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Article):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Article(title={self.title!r}, {len(self.paragraphs)} paragraphs)"

    def _key(self) -> tuple[object, ...]:
        return self.title, self.text, self.paragraphs, self.source

    @classmethod
    def from_text(cls, text: str, title: str | None = None, *, source: str | None = None) -> "Article":
        """Split a text into paragraphs, losing nothing.

        A paragraph is a line; lines of a hard-wrapped block are one paragraph.
        Line ends are ``\\n``, ``\\r\\n`` and ``\\r``; no other character separates.
        Every character outside the paragraphs is a line end, blank, or a byte
        order mark at the start, and stays where it is.

        Raises
        ------
        TypeError
            If `text` is no string, or `title` or `source` neither a string nor None.
        """
        if not isinstance(text, str) or not all(isinstance(name, str | None) for name in (title, source)):
            raise TypeError("text is a string, title and source are strings, or None")
        return _rebuilt(title, text, _split(text), source)

    def line_of(self, paragraph: Paragraph) -> int:
        """Return the number of the line, from 1, on which a paragraph starts."""
        return 1 + len(_LINE_END.findall(self.text, 0, paragraph.start))

    def subset(self, indices: Collection[int]) -> "Article":
        """Return the article with only the paragraphs of these indices; places are those in its own text."""
        kept = [self.paragraphs[index] for index in sorted(indices)]
        return Article(self.title, [paragraph.text for paragraph in kept], source=self.source)

    def without(self, dropped: Collection[int]) -> str:
        """Return the text less the paragraphs of these indices.

        What is left is a subsequence of the text. Where paragraphs were taken
        out, the widest of the line ends around them stays; all of them, where
        one would make the neighbours read as one hard-wrapped paragraph.
        """
        if not dropped:
            return self.text
        pieces = self._pieces(dropped, wide=False)
        text, texts = "".join(pieces), pieces[1::2]
        blank_between = all(gap.count("\n") > 1 for gap in pieces[2:-1:2])
        if blank_between and not any(map(_LINE_END.search, texts)) and not text.startswith(_BYTE_ORDER_MARK):
            return text  # single lines with blank lines between: nothing to read as hard-wrapped
        if [paragraph.text for paragraph in _split(text)] == texts or self.paragraphs != tuple(_split(self.text)):
            return text
        return "".join(self._pieces(dropped, wide=True))

    def _pieces(self, dropped: Collection[int], *, wide: bool) -> list[str]:
        """Return what is left, gaps and paragraphs by turns; there is a gap, if only an empty one, at both ends."""
        edges = [0]
        for paragraph in self.paragraphs:
            edges += [paragraph.start, paragraph.end]
        edges.append(len(self.text))
        gaps = [self.text[edges[i] : edges[i + 1]] for i in range(0, len(edges), 2)]
        pieces = [gaps[0]]
        around: list[str] = []
        for index, paragraph in enumerate(self.paragraphs):
            if index in dropped:
                around.append(gaps[index + 1])
                continue
            if around and len(pieces) > 1:
                around.insert(0, pieces.pop())
                pieces.append("".join(around) if wide else max(around, key=_line_ends))
            around = []
            pieces += [paragraph.text, gaps[index + 1]]
        if around:
            pieces[-1] = gaps[-1] if len(pieces) > 1 else pieces[0] + gaps[-1]
        return pieces


def _rebuilt(title: str | None, text: str, paragraphs: Iterable[Paragraph], source: str | None) -> Article:
    article = Article.__new__(Article)
    article._set(title, text, paragraphs, source)
    return article


def _line_ends(gap: str) -> int:
    return len(_LINE_END.findall(gap))


def _split(text: str) -> list[Paragraph]:
    paragraphs: list[Paragraph] = []
    block: list[Paragraph] = []  # lines that no blank line separates
    for match in _LINE.finditer(text, text.startswith(_BYTE_ORDER_MARK)):
        line, (start, end) = match[0], match.span()
        if block and text[block[-1].end : start] not in _LINE_ENDS:
            paragraphs += _paragraphs_of(text, block)
            block = []
        if not line.isspace():
            block.append(Paragraph(line, start, end))
        elif block:
            paragraphs += _paragraphs_of(text, block)
            block = []
    return paragraphs + _paragraphs_of(text, block)


def _paragraphs_of(text: str, block: list[Paragraph]) -> list[Paragraph]:
    """Return the paragraphs of lines that no blank line separates."""
    if len(block) < 2:
        return block
    joins = _wrapped_breaks([line.text for line in block])
    if not any(joins):
        return block
    spans = [(block[0].start, block[0].end)]
    for line, joined in zip(block[1:], joins, strict=True):
        if joined:
            spans[-1] = (spans[-1][0], line.end)
        else:
            spans.append((line.start, line.end))
    return [Paragraph(text[start:end], start, end) for start, end in spans]


def _wrapped_breaks(lines: list[str]) -> list[bool]:
    """Tell, for each break between two lines, whether a typesetter put it there.

    A line was filled if the next one's first word would not have fitted. The
    block is hard-wrapped if its filled lines go on in lower case as often as
    prose does; headlines and list items of like length do not.
    """
    separate = [False] * (len(lines) - 1)
    if len(lines) < 2:
        return separate
    width = max(len(line.rstrip()) for line in lines)
    if not _NARROWEST <= width <= _WIDEST:
        return separate
    filled = [
        len(line.rstrip()) + 1 + len(after.split(maxsplit=1)[0]) > width - _SLACK for line, after in pairwise(lines)
    ]
    going_on = [after.lstrip()[0].islower() for full, after in zip(filled, lines[1:], strict=False) if full]
    if not going_on or sum(going_on) < max(1.0, _LOWER_CASE_BREAKS * len(going_on)):
        return separate
    return filled
