"""How much of a paragraph the trusted others vouch for.

Once there is a first idea of which paragraphs are noise, only the likely
content should count as the article: two lines of one insert hold each other's
words, and so do a headline and its repetition. Each other paragraph vouches
with its trust, the probability that it is content; and vouching is measured
three times, by all others, by those more than one and by those more than two
paragraphs away.
"""

import math

import numpy as np
from numpy.typing import NDArray

from noisefilter.context import NEIGHBOURS, ArticleReading
from noisefilter.features import BY_LENGTH, DISTANCES, RELATIONS

_LONG = math.log1p(9)
_NOT_THIS = -2.0  # below every measure, so that the curve has a place of its own for it


def relations(reading: ArticleReading, trust: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the trusted paragraphs say of each other.

    Parameters
    ----------
    reading : ArticleReading
    trust : ndarray, shape (n_paragraphs,)
        Probability that each paragraph is content.

    Returns
    -------
    ndarray, shape (n_paragraphs, len(RELATIONS))
    """
    if not reading.readings:
        return np.empty((0, len(RELATIONS)))
    weight = trust.tolist()
    trusted = {term: sorted(held, key=lambda at: (-weight[at], at)) for term, held in reading.holders.items()}
    cosines = reading.cosines_to_rest(weight)
    rows = [
        [*_row(reading, index, weight, trusted), cosine, _around_trusted(reading, index, weight)]
        for index, cosine in enumerate(cosines)
    ]
    table = np.array(rows)
    table = np.hstack([table, reading.relative(table)])
    telling = table[:, [RELATIONS.index(name) for name in BY_LENGTH]]
    is_long = np.array([[math.log1p(len(one.words)) > _LONG] for one in reading.readings])
    return np.hstack([table, np.where(is_long, telling, _NOT_THIS), np.where(is_long, _NOT_THIS, telling)])


def pasted(relation: NDArray[np.float64], odds: NDArray[np.float64], words: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much a paragraph looks like part of what was pasted beside it.

    A regression adds up what speaks for noise; here two things count only together: that nothing in
    the rest of the article vouches for the paragraph, and that its neighbour is likely noise.

    Parameters
    ----------
    relation : ndarray, shape (n_paragraphs, len(RELATIONS))
    odds : ndarray, shape (n_paragraphs, 2)
        Log-odds of boilerplate and of off_topic against content.
    words : ndarray, shape (n_paragraphs,)
        Logarithm of one and the number of words.

    Returns
    -------
    ndarray, shape (n_paragraphs, len(PASTED))
    """
    unvouched = 1 - relation[:, RELATIONS.index(f"vouched_beyond_{DISTANCES[-1]}")]
    unlike = 1 - relation[:, RELATIONS.index("cosine_trusted")]
    off_topic = 1 / (1 + np.exp(-odds[:, 1]))
    noise = 1 / (1 + np.exp(-np.logaddexp(odds[:, 0], odds[:, 1])))
    before, after = _from_before(off_topic), _from_before(off_topic[::-1])[::-1]
    noise_before, noise_after = _from_before(noise), _from_before(noise[::-1])[::-1]
    return np.column_stack(
        [
            before * unvouched,
            after * unvouched,
            noise_before * unvouched,
            noise_after * unvouched,
            before * unlike,
            np.maximum(before, after) * unvouched * (words > _LONG),
        ]
    )


def _from_before(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the value of the paragraph before each, 0 for the first."""
    return np.concatenate([[0.0], values[:-1]])


def _row(reading: ArticleReading, index: int, weight: list[float], trusted: dict[str, list[int]]) -> list[float]:
    one = reading.readings[index]
    row = []
    for distance in DISTANCES:
        vouched = {
            term: _vouched(reading, index, weight, trusted[term], distance) if reading.others[index][term] else 0.0
            for term in one.idf
        }
        if distance == 0 and reading.titled(index):
            vouched |= dict.fromkeys(one.stems & reading.title.stems, 1.0)
        words = sum(vouched.values())
        names = sum(vouched[term] for term in one.names)
        row += [
            sum(one.idf[term] * share for term, share in vouched.items()) / one.mass if one.mass else 0.5,
            math.log1p(words),
            math.log1p(max(0.0, len(vouched) - words)),
            names / len(one.names) if one.names else 0.5,
            math.log1p(max(0.0, len(one.names) - names)),
            math.log1p(names),
        ]
    return row


def _vouched(reading: ArticleReading, index: int, weight: list[float], trusted: list[int], distance: int) -> float:
    """Return the trust of the first among `trusted` that is no twin and far enough away."""
    return next(
        (weight[at] for at in trusted if abs(at - index) > distance and not reading.twin(index, at)),
        0.0,
    )


def _around_trusted(reading: ArticleReading, index: int, weight: list[float]) -> float:
    one = reading.readings[index]
    if not one.mass:
        return 0.5
    best: dict[str, float] = {}
    for at in range(max(0, index - NEIGHBOURS), min(len(weight), index + NEIGHBOURS + 1)):
        if not reading.twin(index, at):
            for term in one.stems & reading.readings[at].stems:
                best[term] = max(best.get(term, 0.0), weight[at])
    return sum(value * best.get(term, 0.0) for term, value in one.idf.items()) / one.mass
