"""What a model file says of itself, read from its metadata alone. It runs no model and needs no ONNX Runtime."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

from antiphon.errors import AntiphonError

CONTRACT: Final = 1
"""Version of how a graph is fed and what its metadata say; a file of another version is refused."""

_METADATA_FIELD: Final = 14
"""Number of `metadata_props` in ONNX's `ModelProto`; its entries have the key as field 1 and the value as field 2."""
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
"""Wire types of protocol buffers: https://protobuf.dev/programming-guides/encoding"""


class ModelError(AntiphonError, ValueError):
    """A model file that cannot be used, or a model that computes nonsense; the text says what to do."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The metadata of a model file."""

    path: Path
    """The file."""
    name: str
    version: str
    """The model's own, as its maker counts."""
    architecture: str
    """`transformer`, `study-transformer` or `lstm`."""
    codec: str
    """What its tokens mean: `grid` or `performance`."""
    codec_version: int
    vocabulary: int
    """Number of token ids."""
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


def read_card(path: Path) -> ModelCard:
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
    try:
        values: dict[str, Any] = {name: read(metadata[name]) for name, read in _FIELDS.items()}
    except (KeyError, ValueError, TypeError) as error:
        problem = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise ModelError(f"'{path}' has damaged metadata ({problem}); export its checkpoint again") from error
    return ModelCard(path=path, **values)


def _corpora(text: str) -> tuple[str, ...]:
    return tuple(str(corpus["name"]) for corpus in json.loads(text))


_FIELDS: Final[Mapping[str, Callable[[str], object]]] = {
    **dict.fromkeys(("name", "version", "architecture", "codec", "precision", "licences"), str),
    **dict.fromkeys(("codec_version", "vocabulary", "parameters", "window", "capacity", "chunk"), int),
    **dict.fromkeys(("layers", "heads", "head_size", "distances"), int),
    **dict.fromkeys(("rotary_base", "validation_nll"), float),
    "corpora": _corpora,
}
"""How each field of a card is read from its text."""


def _read_metadata(path: Path) -> dict[str, str]:
    try:
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
    while file.tell() < size:
        field, wire = divmod(_varint(file), 8)
        if wire == _VARINT:
            _varint(file)
            continue
        length = _varint(file) if wire == _LENGTH else {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(wire, size)
        if file.tell() + length > size:
            raise ValueError("a field reaches beyond the end")
        if field == _METADATA_FIELD:
            entries.append(file.read(length))
        else:
            file.seek(length, 1)
    return entries


def _fields(entry: bytes) -> dict[int, bytes]:
    """The texts of a message by the number of their field."""
    file, fields = BytesIO(entry), {}
    while file.tell() < len(entry):
        field = _varint(file) // 8
        fields[field] = file.read(_varint(file))
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
