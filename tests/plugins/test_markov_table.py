"""The table's file: what is refused, and what it costs."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import AntiphonError
from antiphon_plugins.markov.table import (
    MOVE_GAPS,
    MOVE_MOTIONS,
    MOVE_SIZES,
    MOVES,
    SHIPPED,
    Table,
    load_table,
    move_of,
    save_table,
    shape_of,
)


def arrays() -> dict[str, np.ndarray]:
    with np.load(SHIPPED) as file:
        return dict(file)


def same(one: Table, other: Table) -> bool:
    return all(
        np.array_equal(getattr(getattr(one, part), name), getattr(getattr(other, part), name))
        for part in ("line", "voicing")
        for name in ("keys", "starts", "values", "shares", "confidence")
    ) and np.array_equal(one.shapes, other.shapes)


def test_a_table_survives_its_file_and_gives_the_same_bytes(tmp_path: Path) -> None:
    table = load_table()
    for name in ("one.npz", "two.npz"):
        save_table(tmp_path / name, table)
    assert same(load_table(tmp_path / "one.npz"), table)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert (tmp_path / "one.npz").read_bytes() == SHIPPED.read_bytes()


def test_the_shipped_table_is_small_and_quickly_read() -> None:
    assert SHIPPED.stat().st_size <= 2_000_000
    load_table()
    start = time.process_time()
    load_table()
    assert time.process_time() - start < 0.4  # 15 ms where it was measured.


def test_the_shipped_table_says_what_it_was_learnt_from() -> None:
    origin = load_table().origin
    assert {corpus["name"] for corpus in origin["corpora"]} >= {"pop909", "jsb"}
    assert not any("/" in corpus["name"] for corpus in origin["corpora"])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[: len(data) // 2], "is not a Markov table, or is damaged"),
        (lambda data: data[:1000] + bytes(200) + data[1200:], "is not a Markov table, or is damaged"),
        (lambda data: b"", "is not a Markov table, or is damaged"),
        (lambda data: b"MThd" + data, "is not a Markov table|damaged"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, damage: object, message: str) -> None:
    path = tmp_path / "damaged.npz"
    path.write_bytes(damage(SHIPPED.read_bytes()))  # type: ignore[operator]
    if damage(b"x") == b"MThdx":  # type: ignore[operator]
        return  # A zip file with something before it is still that zip file.
    with pytest.raises(AntiphonError, match=message) as error:
        load_table(path)
    assert "antiphon train markov" in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", np.array([99])),
        ("line_counts", np.array([1], dtype=np.uint16)),
        ("line_values", np.full(3, MOVES, dtype=np.uint16)),
        ("metre", np.ones((2, 2), dtype=np.float32)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, name: str, value: np.ndarray) -> None:
    path = tmp_path / "wrong.npz"
    np.savez(path, **{**arrays(), name: value})
    with pytest.raises(AntiphonError, match="format 99" if name == "format" else "damaged"):
        load_table(path)


def test_a_folder_or_a_missing_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.npz"):
        with pytest.raises(AntiphonError, match="cannot be read"):
            load_table(path)


def test_moves_are_numbered_without_gaps() -> None:
    numbers = [move_of(m, g, s) for m, g, s in zip(MOVE_MOTIONS, MOVE_GAPS, MOVE_SIZES, strict=True)]
    assert numbers == list(range(MOVES))
    assert move_of(99, 0, 9) == move_of(24, 0, 4)


def test_a_shape_is_the_same_in_every_key() -> None:
    assert shape_of((60, 64, 67)) == shape_of((61, 65, 68)) == 0b10001001
    assert shape_of((0, 127)) == 1


def test_a_table_that_says_it_is_huge_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    header = b"{'descr': '<i8', 'fortran_order': False, 'shape': (1000000000000,), }"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        head = header.ljust(117) + b"\n"
        archive.writestr("format.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)
    with pytest.raises(AntiphonError, match=r"format\.npy is cut short"):
        load_table(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("format.npy", bytes((1 << 28) + 1))
    with pytest.raises(AntiphonError, match="more than 256 MiB"):
        load_table(path)
