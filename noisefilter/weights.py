"""All that scoring needs of a fitted classifier, as plain numbers and lists of terms."""

import codecs
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from noisefilter.arrays import Array
from noisefilter.features import CLASSES, FIRST_LOOK, SECOND_LOOK
from noisefilter.kinds import FAMILIES

TERM_LISTS = ("words", "characters", "stems", "common")
"""Which lists of terms there are."""

_LONGEST_GRAM = 16
_AT_A_TIME = 2**16


@dataclass(frozen=True, eq=False)
class Weights:
    """What a fitted classifier has learnt, without the classifier.

    Attributes
    ----------
    parameters : mapping of str to Any
        Of the classifier.
    arrays : mapping of str to Array
    terms : mapping of str to bytes
        UTF-8, one term a line: see `TERM_LISTS`.
    """

    parameters: Mapping[str, Any]
    arrays: Mapping[str, Array]
    terms: Mapping[str, bytes]

    def listed(self, name: str) -> list[str]:
        """Return the terms of one list."""
        return self.terms[name].decode().split("\n")[:-1]

    def check(self) -> None:
        """Hold shapes and lengths against each other; what the numbers are is for the scorers to look at.

        Raises
        ------
        ValueError
            If they do not fit, or a list is not UTF-8.
        """
        shortest, longest = self.parameters["shortest"], self.parameters["longest"]
        if not (type(shortest) is type(longest) is int and 1 <= shortest <= longest <= _LONGEST_GRAM):
            raise ValueError("the lengths of the character n-grams are out of range")
        count = {name: _lines(terms) for name, terms in self.terms.items()}
        shapes: dict[str, tuple[int, ...]] = {
            "words_idf": (count["words"],),
            "characters_idf": (count["characters"],),
            "lexical_coef": (len(FAMILIES), count["words"] + count["characters"]),
            "lexical_intercept": (len(FAMILIES),),
            "stems_idf": (count["stems"],),
            "unseen_idf": (1,),
        }
        for look, columns in (("first", FIRST_LOOK), ("second", SECOND_LOOK)):
            counts = self.arrays[f"{look}_knot_counts"].typed("<i8", "q").tolist()
            if min(counts, default=0) < 1:
                raise ValueError("knot_counts are not positive")
            bins = 0
            if f"{look}_bins_average" in self.arrays:
                bins = self.arrays[f"{look}_bins_average"].shape[0]
                trees = {part: self.arrays[f"{look}_bins_{part}"] for part in ("feature", "left", "right", "roots")}
                nodes, roots = (math.prod(trees[part].shape) for part in ("feature", "roots"))
                if not roots or any(array.kind != "<i4" for array in trees.values()):
                    raise ValueError(f"{look}_bins are not trees, numbered in 32 bits")
                shapes |= {f"{look}_bins_{part}": (nodes,) for part in ("feature", "border", "left", "right")}
                shapes |= {f"{look}_bins_roots": (roots,), f"{look}_bins_average": (bins,)}
            shapes |= {
                f"{look}_knot_counts": (len(columns),),
                f"{look}_knots": (sum(counts),),
                f"{look}_average": (sum(counts),),
                f"{look}_coef": (len(CLASSES), sum(counts) + bins),
                f"{look}_intercept": (len(CLASSES),),
            }
        for name, expected in shapes.items():
            if self.arrays[name].shape != expected:
                raise ValueError(f"{name} has shape {self.arrays[name].shape}, not {expected}")


def _lines(terms: bytes) -> int:
    """Return how many lines there are; a `UnicodeDecodeError` if they are not UTF-8."""
    parts = (terms[at : at + _AT_A_TIME] for at in range(0, len(terms), _AT_A_TIME))
    return sum(part.count("\n") for part in codecs.iterdecode(parts, "utf-8"))
