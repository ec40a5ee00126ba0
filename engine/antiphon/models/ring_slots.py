"""Where a run of steps goes in a ring of S slots, and what each of them sees there. It knows neither tokens nor notes.

The step at position p lies in slot p mod S, and sees `window` steps up to itself. Nothing is ever moved or cleared:
which slots a step sees is told to the graph with every run.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from antiphon.models.onnx_session import OnnxSession, Tensor

_HIDDEN: Final = np.float32(-1e9)
"""Added to the scores of what must not be seen. Finite, because layers may add scores to scores."""


class RingSlots:
    """The inputs `write_pos` [1] and `mask` [size, S] of a graph, for runs of `size` steps."""

    def __init__(self, session: OnnxSession, capacity: int, window: int, size: int) -> None:
        self.size = size
        self._capacity, self._window = capacity, window
        # From element s on: how far each slot is back when the newest step is in slot S - 1 - s.
        self.back = (capacity - 1 - np.arange(2 * capacity - 1)) % capacity  # [2 * S - 1]
        self._hidden = np.where(self.back < window, np.float32(0), _HIDDEN)  # [2 * S - 1]
        self._slot = session.tensor((1,), np.int64)
        self._mask = session.tensor((size, capacity))

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The inputs by name."""
        return {"write_pos": self._slot, "mask": self._mask}

    def place(self, position: int) -> list[slice]:
        """Set both for steps from `position` on; returns for each of them its part of `back`, S long."""
        self._slot.array[0] = position % self._capacity
        parts = []
        for row in range(self.size):
            place = position + row
            start = self._capacity - 1 - place % self._capacity
            slots = slice(start, start + self._capacity)
            if place + 1 < self._window:  # the ring is not full, and what is in the other slots is not of this music
                self._mask.array[row] = np.where(self.back[slots] <= place, np.float32(0), _HIDDEN)
            else:
                self._mask.array[row] = self._hidden[slots]
            parts.append(slots)
        return parts


def earliest_seen(position: int, newest: int, capacity: int, window: int) -> int:
    """Smallest position, besides 0, to which a ring can be rewound: all that a step sees there is still in it.

    `newest`: steps written since the ring was last begun anew.
    """
    return min(position, max(0, newest - capacity + window - 1))


def division(sizes: list[int], length: int) -> list[int]:
    """Sizes of the runs that take in `length` steps, the longest first; `sizes` descend to 1."""
    divided = []
    for size in sizes:
        divided += [size] * (length // size)
        length %= size
    return divided
