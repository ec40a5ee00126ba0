"""Chorales as Music Transformer's table 2 reads them: four voices in turn. It is there to compare, not to play.

Huang et al., Music Transformer, 2018, https://arxiv.org/abs/1809.04281: soprano, alto, tenor and bass of every
sixteenth are four tokens, each a pitch, so that a held note is said again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from antiphon.errors import AntiphonError
from antiphon.tokens.codec import Tokens
from antiphon_export.midi_folder import Chorale, Corpus, holds_chorales, read_chorales
from antiphon_export.training.windows import Augmentation, filled

CHORALES: Final = "chorales"
"""What `--codec` calls it."""
VOCABULARY: Final = 129
"""128 pitches, and silence."""
_SILENCE: Final = 128
_VOICES: Final = 4


def chorale_streams(corpus: Corpus, split: str, report: Callable[[str], None] = lambda _: None) -> list[Tokens]:
    """The chorales of a `split` in a corpus's JSON files, each [4 · sixteenths] tokens.

    `report` is told of every file that holds none, or one that has not four voices throughout.

    Raises:
        AntiphonError: there is no chorale in that split.
    """
    streams: list[Tokens] = []
    for path in filter(holds_chorales, corpus.every_file()):
        try:
            streams += [_stream(path, number, chorale) for number, chorale in enumerate(read_chorales(path, split))]
        except AntiphonError as error:
            report(str(error))
    if not streams:
        raise AntiphonError(f"{str(corpus.folder)!r} has no JSON file with chorales under {split!r}")
    return streams


def _stream(path: Path, number: int, chorale: Chorale) -> Tokens:
    if any(len(step) != _VOICES for step in chorale):
        raise AntiphonError(f"{path.name}: chorale {number} has not {_VOICES} voices in every sixteenth")
    pitches = np.array(chorale, dtype=np.float64).ravel()
    return np.where((pitches >= 0) & (pitches < 128), pitches, _SILENCE).astype(np.int64)


class ChoraleWindows:
    """Windows of chorales, from any sixteenth on, transposed within what the voices sing."""

    def __init__(self, streams: list[Tokens]) -> None:
        self._streams = streams
        lengths = np.array([len(stream) for stream in streams], dtype=np.float64)
        self._chances = lengths / lengths.sum()

    @property
    def tokens(self) -> int:
        """How many tokens there are without augmentation."""
        return sum(len(stream) for stream in self._streams)

    def draw(self, random: np.random.Generator, length: int, augmentation: Augmentation) -> Tokens:
        """One window of `length` tokens."""
        return filled(length, lambda: self._slice(random, length, augmentation))

    def _slice(self, random: np.random.Generator, length: int, augmentation: Augmentation) -> Tokens:
        stream = self._streams[random.choice(len(self._streams), p=self._chances)]
        start = _VOICES * int(random.integers(max(0, len(stream) - length) // _VOICES + 1))
        semitones = int(random.integers(augmentation.transpose[0], augmentation.transpose[1] + 1))
        window = stream[start : start + length]
        return np.where(window < _SILENCE, (window + semitones).clip(0, 127), window)
