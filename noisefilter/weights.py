"""All that scoring needs of a fitted classifier, as plain numbers and lists of terms."""

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
        """Hold shapes and lengths against each other.

        Raises
        ------
        ValueError
            If they do not fit, or a list is not UTF-8.
        """
        shortest, longest = self.parameters["shortest"], self.parameters["longest"]
        if not (type(shortest) is type(longest) is int and 1 <= shortest <= longest <= _LONGEST_GRAM):
            raise ValueError("the lengths of the character n-grams are out of range")
        count = {name: terms.count(b"\n") for name, terms in self.terms.items() if terms.decode() is not None}
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
                shapes |= {f"{look}_bins_average": (bins,), **self._shapes_of_trees(f"{look}_bins", len(columns))}
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

    def _shapes_of_trees(self, name: str, columns: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes that the trees of a look should have, once all that they point at is there."""
        parts = {part: self.arrays[f"{name}_{part}"] for part in ("feature", "left", "right", "roots")}
        nodes, trees = (math.prod(parts[part].shape) for part in ("feature", "roots"))
        most = {"feature": columns, "left": nodes, "right": nodes, "roots": nodes}
        for part, array in parts.items():
            numbers = array.typed("<i4", "i").tolist()
            if not -(part == "feature") <= min(numbers, default=-2) <= max(numbers) < most[part]:
                raise ValueError(f"{name}_{part} is not of trees over the columns")
        return {f"{name}_{part}": (trees if part == "roots" else nodes,) for part in (*parts, "border")}
