from collections.abc import Iterable, Mapping, Sequence

from noisefilter.arrays import Array

class Kernel:
    def __init__(
        self,
        arrays: Mapping[str, Array],
        terms: Mapping[str, bytes],
        settings: Mapping[str, int],
        class_of_family: bytes,
        stop_words: Iterable[str],
        shapes: Sequence[str],
    ) -> None: ...
    def read(self, texts: list[str]) -> Reading: ...

class Reading:
    known: list[bool]
    counts: list[tuple[int, int]]
    def score(self, alive: Sequence[int], title: str, title_at: int, seen: bool = False) -> list[tuple[float, ...]]: ...
