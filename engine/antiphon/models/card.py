"""What a model file says of itself, read from its metadata alone. It runs no model and needs no ONNX Runtime."""

from __future__ import annotations

import base64
import errno
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

from antiphon.errors import AntiphonError

CONTRACT: Final = 1
"""Version of how a graph is fed and what its metadata say; a file of another version is refused."""

ROLL_CODEC: Final = "roll"
"""Codec of the models that read piano rolls; every other is one of tokens or of notes."""

NOTE_CODEC: Final = "notes"
"""Codec of the models that take notes, a step each."""

HEADS_FIELD: Final = "speaking_heads"
"""Of the metadata of a model of notes: another model, in base 64, of the heads that speak of the next note."""

_METADATA_FIELD: Final = 14
"""Number of `metadata_props` in ONNX's `ModelProto`; its entries have the key as field 1 and the value as field 2."""
_MOST_METADATA_BYTES: Final = 1 << 24
_MOST: Final = (1 << 31) - 1
"""Of everything that is counted, and has no bounds of its own."""
_MOST_PARAMETERS: Final = 1 << 50
_LONGEST_TEXT: Final = 1 << 16
_BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "vocabulary": (1, 1 << 20),
    "window": (1, 1 << 16),
    "capacity": (0, 1 << 17),
    "chunk": (1, 1 << 12),
    "layers": (1, 256),
    "heads": (1, 256),
    "head_size": (1, 1 << 14),
    "distances": (0, 1 << 17),
    "steps": (1, 1 << 12),
    "latent": (1, 1 << 14),
}
"""Least and most of what memory is made for."""
_MOST_BYTES: Final = 1 << 30
"""Of what a model keeps while it plays, and of what one run is given and gives."""
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
"""Wire types of protocol buffers: https://protobuf.dev/programming-guides/encoding"""


_Readers = Mapping[str, Callable[[str], object]]
"""How each field of a card is read from its text."""


class ModelError(AntiphonError, ValueError):
    """A model file that cannot be used, or a model that computes nonsense; the text says what to do."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The metadata of a model that reads tokens."""

    path: Path
    """The file."""
    name: str
    version: str
    """The model's own, as its maker counts."""
    architecture: str
    """`transformer`, `study-transformer`, `lstm` or `note-transformer`."""
    codec: str
    """What its tokens mean: `grid` or `performance`; or `notes`, if it takes notes."""
    codec_version: int
    vocabulary: int
    """Number of token ids, or of the words that notes are read as."""
    parameters: int
    """Learnt numbers."""
    precision: str
    """How they are stored: `float32`, `float16` or `int8`."""
    window: int
    """Tokens that a token sees, itself included; for a recurrent model, those of a window in training."""
    capacity: int
    """Tokens whose keys and values a ring holds; 0 for a recurrent model."""
    chunk: int
    """Most tokens that may be fed in one run."""
    layers: int
    heads: int
    """Attention heads; 1 for a recurrent model."""
    head_size: int
    """Width of a head; for a recurrent model, of its hidden state."""
    distances: int
    """Distances that a relative position tells apart; 0 where positions are rotary, or there are none."""
    rotary_base: float
    """Longest wavelength of rotary positions, in tokens, over 2 pi; 0 where there are none."""
    corpora: tuple[str, ...]
    """What it learnt from."""
    licences: str
    """Of the corpora and the weights."""
    validation_nll: float
    """Nats per token on music kept for validation; NaN where it is unknown."""


@dataclass(frozen=True, slots=True)
class RollCard:
    """The metadata of a model that makes codes of piano rolls, and piano rolls of codes."""

    path: Path
    """The file."""
    name: str
    version: str
    """The model's own, as its maker counts."""
    architecture: str
    """`vae`."""
    codec: str
    """`roll`: what a cell means, `antiphon.rolls.roll` says."""
    codec_version: int
    parameters: int
    """Learnt numbers."""
    precision: str
    """How they are stored: `float32`, `float16` or `int8`."""
    steps: int
    """Sixteenths of a roll."""
    latent: int
    """Numbers of a code."""
    directions: Mapping[str, tuple[float, ...]]
    """By name, what to add to a code, [latent], for music that is clearly more so: `density`, `register`,
    `loudness`."""
    corpora: tuple[str, ...]
    """What it learnt from."""
    licences: str
    """Of the corpora and the weights."""


Card = ModelCard | RollCard


def read_card(path: Path) -> ModelCard:
    """The card of the model in `path`, which reads tokens.

    Raises:
        ModelError: what `read_any_card` raises; or the model is of another kind.
    """
    card = read_any_card(path)
    if isinstance(card, RollCard):
        raise ModelError(f"'{path}' is a {card.architecture}, which reads no tokens; wanted: a model that does")
    return card


def read_roll_card(path: Path) -> RollCard:
    """The card of the model in `path`, which makes codes of piano rolls.

    Raises:
        ModelError: what `read_any_card` raises; or the model is of another kind.
    """
    card = read_any_card(path)
    if isinstance(card, ModelCard):
        raise ModelError(f"'{path}' is a {card.architecture} of tokens; wanted: a model of piano rolls, such as a vae")
    return card


def read_heads(path: Path) -> bytes | None:
    """The model of the heads that the model in `path` carries; None if it carries none.

    Raises:
        ModelError: there is no such file, it is truncated, or the heads are damaged.
    """
    text = _read_metadata(path).get(HEADS_FIELD)
    try:
        return None if text is None else base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ModelError(f"'{path}' has damaged heads ({error}); export its checkpoint again") from error


def read_any_card(path: Path) -> Card:
    """The card of the model in `path`.

    Raises:
        ModelError: there is no such file, it is truncated or no ONNX model, it was not made by `antiphon export`,
            or it was made for another version of the contract.
    """
    metadata = _read_metadata(path)
    if "antiphon_contract" not in metadata:
        raise ModelError(f"'{path}' is no model of Antiphon; make one with `antiphon export`")
    if metadata["antiphon_contract"] != str(CONTRACT):
        raise ModelError(
            f"'{path}' was exported for contract {metadata['antiphon_contract']}; this Antiphon plays {CONTRACT}: "
            "install the Antiphon that made it, or export its checkpoint again"
        )
    rolls = metadata.get("codec") == ROLL_CODEC
    try:
        readers = _ROLL_FIELDS if rolls else _TOKEN_FIELDS
        values: dict[str, Any] = {name: read(metadata[name]) for name, read in readers.items()}
        _check_sizes(values)
    except Exception as error:  # Every reader stumbles over damage in its own way.
        problem = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise ModelError(f"'{path}' has damaged metadata ({problem}); export its checkpoint again") from error
    return RollCard(path=path, **values) if rolls else ModelCard(path=path, **values)


def _text(text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        raise ValueError(f"a text has {len(text)} characters; allowed: up to {_LONGEST_TEXT}")
    return text


def _corpora(text: str) -> tuple[str, ...]:
    return tuple(str(corpus["name"]) for corpus in json.loads(_text(text)))


def _directions(text: str) -> dict[str, tuple[float, ...]]:
    found = {str(name): tuple(map(float, numbers)) for name, numbers in json.loads(text).items()}
    if not all(math.isfinite(number) for numbers in found.values() for number in numbers):
        raise ValueError("a direction holds what is no number")
    return found


def _within(low: int, high: int) -> Callable[[str], int]:
    """Reads a whole number from `low` to `high`."""

    def read(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(f"{number} is no count; allowed: {low} to {high}")
        return number

    return read


def _bounded(*names: str) -> _Readers:
    return {name: _within(*_BOUNDS[name]) for name in names}


def _check_sizes(values: Mapping[str, Any]) -> None:
    """Raise ValueError if what memory is made for is too much together, or fits no positions."""
    if "vocabulary" not in values:
        return
    ring = 8 * values["layers"] * values["heads"] * max(values["capacity"], 1) * values["head_size"]
    run = 16 * values["chunk"] * (values["vocabulary"] + values["capacity"] + values["head_size"])
    for what, size in (("its memory", ring), ("a run", run)):
        if size > _MOST_BYTES:
            raise ValueError(f"{what} would take {size / (1 << 30):.0f} GiB; allowed: {_MOST_BYTES >> 30}")
    rotary = values["capacity"] and not values["distances"]
    if rotary and not (1 <= values["rotary_base"] < math.inf and values["head_size"] % 2 == 0):
        raise ValueError(f"rotary_base is {values['rotary_base']:g}, for heads of {values['head_size']}")


_COMMON_FIELDS: Final[_Readers] = {
    **dict.fromkeys(("name", "version", "architecture", "codec", "precision", "licences"), _text),
    "codec_version": _within(0, _MOST),
    "parameters": _within(0, _MOST_PARAMETERS),
    "corpora": _corpora,
}
_TOKEN_FIELDS: Final[_Readers] = {
    **_COMMON_FIELDS,
    **_bounded("vocabulary", "window", "capacity", "chunk", "layers", "heads", "head_size", "distances"),
    **dict.fromkeys(("rotary_base", "validation_nll"), float),
}
_ROLL_FIELDS: Final[_Readers] = {
    **_COMMON_FIELDS,
    **_bounded("steps", "latent"),
    "directions": _directions,
}


def _read_metadata(path: Path) -> dict[str, str]:
    try:
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        size = path.stat().st_size
        with path.open("rb") as file:
            entries = [_fields(entry) for entry in _entries(file, size)]
        return {entry[1].decode(): entry.get(2, b"").decode() for entry in entries}
    except OSError as error:
        raise ModelError(
            f"model '{path}' cannot be read ({error.strerror or error}); `antiphon models` lists those there are"
        ) from error
    except (ValueError, KeyError) as error:
        raise ModelError(f"'{path}' is truncated, or no ONNX model; copy or export it again") from error


def _entries(file: BinaryIO, size: int) -> list[bytes]:
    """The metadata of an ONNX model, undecoded; all else is skipped. Raises ValueError if the file is cut short."""
    entries = []
    room = _MOST_METADATA_BYTES
    while file.tell() < size:
        field, wire = divmod(_varint(file), 8)
        if wire == _VARINT:
            _varint(file)
            continue
        length = _varint(file) if wire == _LENGTH else {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(wire, size)
        if file.tell() + length > size:
            raise ValueError("a field reaches beyond the end")
        if field == _METADATA_FIELD:
            room -= length
            if room < 0:
                raise ValueError(f"its metadata have more than {_MOST_METADATA_BYTES} bytes")
            entries.append(file.read(length))
        else:
            file.seek(length, 1)
    return entries


def _fields(entry: bytes) -> dict[int, bytes]:
    """The texts of a message by the number of their field."""
    file, fields = BytesIO(entry), {}
    while file.tell() < len(entry):
        field = _varint(file) // 8
        length = _varint(file)
        if file.tell() + length > len(entry):
            raise ValueError("a text reaches beyond its entry")
        fields[field] = file.read(length)
    return fields


def _varint(file: BinaryIO) -> int:
    value = shift = 0
    while True:
        byte = file.read(1)
        if not byte or shift > 63:
            raise ValueError("a number has no end")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
        shift += 7
