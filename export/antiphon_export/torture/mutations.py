"""Bytes, bent a little or a lot: what a disk, a bad cable, a careless editor or a stranger makes of a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Final

_HOW_MANY: Final = (1, 1, 1, 1, 2, 2, 3, 6)
"""Changes to a case; a single one gets the furthest."""
_LONGEST_PIECE: Final = 64
_BYTES: Final = (0x00, 0x01, 0x0A, 0x1B, 0x7F, 0x80, 0x90, 0xF0, 0xF7, 0xF8, 0xFF)
"""Bytes at which readers have been seen to stumble: ends, escapes, status bytes of MIDI."""
_VALUE: Final = re.compile(rb'-?\b\d+(\.\d+)?\b|"[^"\n]{0,80}"|\btrue\b|\bfalse\b|\bnull\b')
"""A number, text or word of JSON or TOML."""
_VALUES: Final = (
    *(b"0", b"-1", b"1", b"0.5", b"127", b"128", b"65536", b"4294967296", b"9223372036854775808", b"1e18", b"1e400"),
    *(b"NaN", b"-Infinity", b"inf", b"nan", b"true", b"null", b"9" * 5000, b"[]", b"{}", b"[0]", b'""', b'"\\u0000"'),
    *(b'"\\u001b]0;title\\u0007"', b'"\\ud800"', b'"/dev/zero"', b'"../../etc/passwd"', b'"' + b"a" * 5000 + b'"'),
    *(b"[" * 3000, b"[" * 200 + b"]" * 200, b'{"a":' * 300 + b"1" + b"}" * 300),
)
"""What may stand in the place of a value."""


def mutated(seed: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """`seed`, changed in some places; `others` are seeds of the same kind, of which pieces may be taken."""
    data = seed
    for _ in range(random.choice(_HOW_MANY)):
        data = random.choice(_WAYS)(data, others, random)
    return data


def _another_byte(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    byte = random.choice(_BYTES) if random.random() < 0.5 else random.randrange(256)
    return data[:place] + bytes((byte,)) + data[place + 1 :]


def _another_bit(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    place = random.randrange(len(data) or 1)
    return data[:place] + bytes(byte ^ 1 << random.randrange(8) for byte in data[place : place + 1]) + data[place + 1 :]


def _cut_out(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + data[place + random.randint(1, _LONGEST_PIECE) :]


def _cut_off(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)] if random.random() < 0.3 else data


def _piece_of_another(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    other = random.choice(others)
    start, place = random.randrange(len(other) + 1), random.randrange(len(data) + 1)
    return data[:place] + other[start : start + random.randint(1, _LONGEST_PIECE)] + data[place:]


def _noise(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.randbytes(random.randint(1, 8)) + data[place:]


def _another_value(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    values = list(_VALUE.finditer(data))
    if not values:
        return _another_byte(data, others, random)
    chosen = random.choice(values)
    way = random.random()
    if way < 0.3:
        taken = random.choice(values)[0]
    elif way < 0.6 and len(chosen[0]) < 20 and chosen[0].lstrip(b"-").isdigit():
        taken = str(int(chosen[0]) + random.choice((-100, -2, -1, 1, 2, 100))).encode()
    else:
        taken = random.choice(_VALUES)
    return data[: chosen.start()] + taken + data[chosen.end() :]


def _other_lines(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """A line left out, doubled, or in another place."""
    lines = data.split(b"\n")
    taken = lines.pop(random.randrange(len(lines)))
    for _ in range(random.randint(0, 2)):
        lines.insert(random.randrange(len(lines) + 1), taken)
    return b"\n".join(lines)


_WAYS: Final = (
    _another_byte,
    _another_bit,
    _cut_out,
    _cut_off,
    _piece_of_another,
    _noise,
    _another_value,
    _another_value,
    _other_lines,
)
