"""The table learnt from scores: what usually comes next, in any key and at any pulse. A performance only reads it.

Two questions are asked of it. The *line*: given the last few moves of the highest note, which move, after which note
value, with how many notes below it? The *voicing*: given that note's degree in the key and the chord before, which
notes below it?
"""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from antiphon import AntiphonError
from antiphon_plugins.markov.events import GAP_SIXTEENTHS

FORMAT: Final = 1
"""Version of the file format; a table of another version is refused."""

_MOST_BYTES: Final = 1 << 28
"""Of a table's arrays."""

SHIPPED = Path(__file__).with_name("table.npz")
"""The table that is used when a preset names none."""

LINE_ORDER = 8
"""Longest context of the line, in events."""

MAX_MOTION = 24
"""Moves of the highest note beyond this many semitones are taken as this."""

SIZES = 4
"""Sizes of a chord told apart: 1, 2, 3, and 4 or more notes."""

MOVES = (2 * MAX_MOTION + 1) * len(GAP_SIXTEENTHS) * SIZES
"""Number of moves of the line: motion x note value x size."""

BEAT_PHASES = 5
"""Places in a beat: its four sixteenths, and off them."""

_DEGREE, _ANY_KEY, _VOICING = 1, 2, 3
_LONGEST, _SHORTEST = 2, 4
"""How many of the contexts found are mixed: the longest say what is likely, the shortest what else is possible."""
_SUREST = 0.85
"""Share of a single context, at most: where all that is likely leads out of the register, another way must be left."""


class TableError(AntiphonError, ValueError):
    """A file is not a Markov table that this version can play from."""


def move_of(motion: int, gap_class: int, size: int) -> int:
    """Number of a move of the line; `size` is a count of notes, at least 1."""
    motion = max(-MAX_MOTION, min(MAX_MOTION, motion)) + MAX_MOTION
    return (motion * len(GAP_SIXTEENTHS) + gap_class) * SIZES + min(size, SIZES) - 1


_ALL_MOVES = np.arange(MOVES)
MOVE_SIZES = _ALL_MOVES % SIZES + 1
"""Size class of each move, 1 to `SIZES`."""
MOVE_GAPS = _ALL_MOVES // SIZES % len(GAP_SIXTEENTHS)
"""Note value of each move, as an index in `GAP_SIXTEENTHS`."""
MOVE_MOTIONS = _ALL_MOVES // (SIZES * len(GAP_SIXTEENTHS)) - MAX_MOTION
"""Motion of the highest note in each move, in semitones."""


def mix(state: Any, value: Any) -> Any:
    """Fold `value` into a 32-bit hash; ints, or numpy arrays of uint64 when the table is made."""
    state = ((state ^ (value + 1)) * 0x9E3779B1) & 0xFFFFFFFF
    return state ^ (state >> 15)


def line_contexts(degree: Any, moves: Sequence[Any]) -> Iterator[Any]:
    """Hashes of the contexts of the line, from no history up: each once with the degree in the key, once in any key.

    `degree`: of the present highest note, 0 to 11. `moves`: latest first.
    """
    in_key, any_key = mix(_DEGREE, degree), mix(_ANY_KEY, degree * 0)
    yield any_key
    yield in_key
    for move in moves:
        in_key, any_key = mix(in_key, move), mix(any_key, move)
        yield any_key
        yield in_key


def voicing_contexts(size: Any, degree: Any, before: Any) -> Iterator[Any]:
    """Hashes of the contexts of a voicing, from the plainest up.

    `size`: size class, 2 to `SIZES`. `degree`: of the highest note, 0 to 11. `before`: shape of the event before,
    32 bits folded from 64 by `fold_shape`.
    """
    state = mix(_VOICING, size)
    yield state
    state = mix(state, degree)
    yield state
    yield mix(state, before)


def fold_shape(shape: Any) -> Any:
    """A shape of 64 bits as 32; ints or arrays of uint64."""
    return (shape ^ (shape >> 32)) & 0xFFFFFFFF


def shape_of(pitches: Sequence[int]) -> int:
    """A chord (from the lowest pitch up) as a bit mask: bit n is the note n semitones below the highest, up to 63."""
    lead = pitches[-1]
    shape = 0
    for pitch in pitches:
        if lead - pitch < 64:
            shape |= 1 << lead - pitch
    return shape


@dataclass(frozen=True, slots=True)
class Successors:
    """Contexts, each with what followed it: a dictionary of lists, as flat arrays that load at once."""

    keys: NDArray[np.uint32]
    """Hash of each context, ascending; shape [C]."""
    starts: NDArray[np.int64]
    """Where each context's successors begin; shape [C + 1]."""
    values: NDArray[np.uint16]
    """Successors; shape [S]."""
    shares: NDArray[np.uint8]
    """Relative frequency of each, the commonest of its context 255; shape [S]."""
    confidence: NDArray[np.uint8]
    """Of each context: the chance, in 255ths, that what follows is among its successors; shape [C]."""

    def mixture(self, contexts: Sequence[int], size: int) -> NDArray[np.float64]:
        """Distribution over `size` values: by the last of `contexts` that is known, backed by those before it."""
        weights = np.zeros(size)
        if not len(self.keys):
            return weights
        wanted = np.array(contexts[::-1], dtype=np.uint32)
        places = np.searchsorted(self.keys, wanted).clip(max=len(self.keys) - 1)
        remaining = 1.0
        found = places[self.keys[places] == wanted].tolist()
        for place in found[:_LONGEST] + found[_LONGEST:][-_SHORTEST:]:
            span = slice(self.starts[place], self.starts[place + 1])
            shares = self.shares[span]
            share = remaining * min(_SUREST, float(self.confidence[place]) / 255)
            weights[self.values[span]] += shares * (share / float(shares.sum(dtype=np.float64)))
            remaining -= share
        return weights


@dataclass(frozen=True, slots=True)
class Table:
    """Everything learnt from scores."""

    line: Successors
    """Values are moves: see `move_of`."""
    voicing: Successors
    """Values are indices of `shapes`."""
    shapes: NDArray[np.uint64]
    """Known shapes of chords: see `shape_of`."""
    metre: NDArray[np.float32]
    """How much likelier than elsewhere each note value is from each place in a beat; shape [BEAT_PHASES, 12]."""
    origin: Mapping[str, Any]
    """What it was learnt from, as `antiphon train markov` wrote it."""


def save_table(path: Path, table: Table) -> None:
    """Write `table`; the same table gives the same bytes."""
    arrays: dict[str, Any] = {"format": np.array([FORMAT]), "shapes": table.shapes, "metre": table.metre}
    arrays["origin"] = np.frombuffer(json.dumps(table.origin, sort_keys=True).encode(), dtype=np.uint8)
    for name, successors in (("line", table.line), ("voicing", table.voicing)):
        # Differences and counts are small numbers, which compress far better.
        arrays[f"{name}_keys"] = np.diff(successors.keys, prepend=np.uint32(0))
        arrays[f"{name}_counts"] = np.diff(successors.starts).astype(np.uint16)
        arrays[f"{name}_values"] = successors.values
        arrays[f"{name}_shares"] = successors.shares
        arrays[f"{name}_confidence"] = successors.confidence
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


_DAMAGE: Final = (
    *(ValueError, TypeError, LookupError, EOFError, ArithmeticError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)
"""What is raised on the way through a damaged archive of arrays."""


def load_table(model: str | Path | None = None) -> Table:
    """Read a table; the shipped one if `model` is None.

    Raises:
        TableError: the file cannot be read, is no table, is damaged, or is of another version.
    """
    path = SHIPPED if model is None else Path(model)
    again = "make one with: antiphon train markov FOLDER --out FILE"
    try:
        _check_sizes(path)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            version = int(arrays["format"][0])
            if version != FORMAT:
                raise TableError(
                    f"Markov table {str(path)!r} has format {version}; this version reads {FORMAT}; {again}"
                )
            origin = json.loads(arrays["origin"].tobytes())
            table = Table(
                _read_successors(arrays, "line"),
                _read_successors(arrays, "voicing"),
                arrays["shapes"],
                arrays["metre"],
                origin,
            )
            _check(table)
    except OSError as error:
        raise TableError(f"Markov table {str(path)!r} cannot be read ({error.strerror or error}); {again}") from error
    except _DAMAGE as error:
        if isinstance(error, TableError):
            raise
        raise TableError(f"{str(path)!r} is not a Markov table, or is damaged ({error}); {again}") from error
    return table


def _check_sizes(path: Path) -> None:
    """Raise ValueError unless the file is an archive of arrays that are what they say, and small, once unpacked."""
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > _MOST_BYTES:
            raise ValueError(f"it would take more than {_MOST_BYTES >> 20} MiB")
        for member in archive.infolist():
            with archive.open(member) as file:
                read = np.lib.format.read_array_header_1_0
                if np.lib.format.read_magic(file) != (1, 0):
                    raise ValueError(f"{member.filename} is of another format")
                shape, _, kind = read(file)
                if math.prod(shape) * kind.itemsize > member.file_size:
                    raise ValueError(f"{member.filename} is cut short")


def _read_successors(arrays: Mapping[str, NDArray[Any]], name: str) -> Successors:
    counts = arrays[f"{name}_counts"].astype(np.int64)
    return Successors(
        np.cumsum(arrays[f"{name}_keys"], dtype=np.uint32),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]),
        arrays[f"{name}_values"],
        arrays[f"{name}_shares"],
        arrays[f"{name}_confidence"],
    )


def _check(table: Table) -> None:
    """Raise ValueError if the arrays do not fit together: rather now than in the middle of a performance."""
    for name, successors, size in (("line", table.line, MOVES), ("voicing", table.voicing, len(table.shapes))):
        total = int(successors.starts[-1])
        if not (len(successors.values) == len(successors.shares) == total):
            raise ValueError(f"{name}: {total} successors expected, {len(successors.values)} found")
        if not (len(successors.keys) == len(successors.confidence) == len(successors.starts) - 1):
            raise ValueError(f"{name}: {len(successors.keys)} contexts, {len(successors.confidence)} confidences")
        if total and int(successors.values.max()) >= size:
            raise ValueError(f"{name}: a successor lies beyond {size}")
    if table.metre.shape != (BEAT_PHASES, len(GAP_SIXTEENTHS)):
        raise ValueError(f"metre has shape {table.metre.shape}")
