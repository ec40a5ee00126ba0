"""Model files that say something of themselves and hold no graph: enough for all that never runs one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

METADATA = {
    "antiphon_contract": "1",
    "name": "toy",
    "version": "3",
    "architecture": "transformer",
    "codec": "performance",
    "codec_version": "1",
    "vocabulary": "388",
    "parameters": "4038144",
    "precision": "int8",
    "window": "512",
    "capacity": "767",
    "chunk": "64",
    "layers": "6",
    "heads": "4",
    "head_size": "64",
    "distances": "0",
    "rotary_base": "10000.0",
    "corpora": '[{"name": "chopin", "weight": 1.0}, {"name": "rolls"}]',
    "licences": "CC0",
    "validation_nll": "1.75",
}


def write_model(path: Path, metadata: Mapping[str, str] = METADATA, graph: bytes = b"\x0a\x03abc") -> Path:
    """An ONNX file with these metadata and something in place of the graph."""
    entries = [_field(14, _field(1, key.encode()) + _field(2, value.encode())) for key, value in metadata.items()]
    # In the order of their numbers: the version of the format, the graph, the metadata.
    path.write_bytes(b"\x08\x0b" + _field(7, graph) + b"".join(entries))
    return path


def _field(number: int, content: bytes) -> bytes:
    return _varint(8 * number + 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(high) if high else bytes([low])
