"""Chorales as Music Transformer's table 2 reads them: four voices in turn. It is there to compare, not to play.

Huang et al., Music Transformer, 2018, https://arxiv.org/abs/1809.04281: soprano, alto, tenor and bass of every
sixteenth are four tokens, each a pitch, so that a held note is said again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np

from antiphon.codec import Tokens
from antiphon.errors import AntiphonError
from antiphon_export.midi_folder import Corpus
from antiphon_export.training.windows import Augmentation

CHORALES: Final = "chorales"
"""What `--codec` calls it."""
VOCABULARY: Final = 129
"""128 pitches, and silence."""
_SILENCE: Final = 128
_VOICES: Final = 4


def chorale_streams(corpus: Corpus, split: str) -> list[Tokens]:
    """The chorales of a `split` in a corpus's JSON files, each [4 · sixteenths] tokens.

    Raises:
        AntiphonError: there is no such file or split.
    """
    streams = [
        np.array(piece, dtype=np.float64).ravel()
        for path in sorted(corpus.folder.glob("*.json"))
        for piece in _read(path).get(split, [])
    ]
    if not streams:
        raise AntiphonError(f"{str(corpus.folder)!r} has no JSON file with chorales under {split!r}")
    return [np.where((pitch >= 0) & (pitch < 128), pitch, _SILENCE).astype(np.int64) for pitch in streams]


def _read(path: Path) -> dict[str, list[list[list[int]]]]:
    try:
        splits = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AntiphonError(f"{path.name}: {type(error).__name__}: {error}") from error
    if not isinstance(splits, dict):
        raise AntiphonError(f"{path.name} holds no chorales: it must be an object with a list of pieces for each split")
    return splits


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
        while True:
            stream = self._streams[random.choice(len(self._streams), p=self._chances)]
            if len(stream) < length:
                continue
            start = _VOICES * int(random.integers((len(stream) - length) // _VOICES + 1))
            semitones = int(random.integers(augmentation.transpose[0], augmentation.transpose[1] + 1))
            window = stream[start : start + length]
            return np.where(window < _SILENCE, (window + semitones).clip(0, 127), window)
