"""The player's pulse: which length of time is a sixteenth, so that free time can be read as note values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from antiphon_plugins.markov.events import GAP_SIXTEENTHS, SIXTEENTH_TICKS

_PLAINNESS = np.array([0.5, 0.4, 0.9, 0.4, 1.0, 0.4, 0.6, 0.9, 0.6, 0.8, 0.5, 0.7])
"""How readily each of `GAP_SIXTEENTHS` is believed: eighths and quarters explain more music than triplets."""

_SCALES = 2 ** (np.arange(-36, 37) / 24)
"""Sixteenths tried, relative to the nominal one: a third to three times as long."""

_PRIOR = np.exp(-0.5 * (np.log2(_SCALES) / 0.8) ** 2)
"""A session with a tempo has the nominal sixteenth, so that is believed first."""

_LOG_VALUES = np.log2(np.array(GAP_SIXTEENTHS))
_TOLERANCE = 0.1
"""How far a played gap strays from its note value, in octaves of time (7 %)."""


def find_sixteenth(gaps_ticks: Sequence[float]) -> float:
    """The sixteenth, in ticks, by which the gaps between onsets make the plainest note values.

    With fewer than 3 gaps it is the nominal one. Only gaps above 0 count.
    """
    gaps = np.array([gap for gap in gaps_ticks if gap > 0], dtype=np.float64)
    if len(gaps) < 3:
        return float(SIXTEENTH_TICKS)
    # 73 scales x gaps x 12 note values
    logs = np.log2(gaps / SIXTEENTH_TICKS)[None, :] - np.log2(_SCALES)[:, None]
    distance = (logs[:, :, None] - _LOG_VALUES) / _TOLERANCE
    fit = (_PLAINNESS * np.exp(-0.5 * distance**2)).max(axis=2).mean(axis=1)
    return float(SIXTEENTH_TICKS * _SCALES[int((fit * _PRIOR).argmax())])
