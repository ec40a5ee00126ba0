"""What a model file says of itself: read without running it, or refused in words that help."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_files import METADATA, write_model

from antiphon.errors import AntiphonError
from antiphon.models.card import ModelError, read_any_card, read_card


def test_a_card_is_read_from_the_file(tmp_path: Path) -> None:
    card = read_card(write_model(tmp_path / "toy.onnx", graph=bytes(70_000)))
    assert (card.name, card.version, card.architecture, card.precision) == ("toy", "3", "transformer", "int8")
    assert (card.codec, card.codec_version, card.vocabulary) == ("performance", 1, 388)
    assert (card.window, card.capacity, card.chunk, card.heads) == (512, 767, 64, 4)
    assert card.corpora == ("chopin", "rolls")
    assert card.validation_nll == 1.75
    assert card.path == tmp_path / "toy.onnx"


def test_an_unknown_nll_is_no_mistake(tmp_path: Path) -> None:
    assert math.isnan(
        read_card(write_model(tmp_path / "toy.onnx", METADATA | {"validation_nll": "nan"})).validation_nll
    )


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.onnx.*No such file.*antiphon models"):
        read_card(tmp_path / "none.onnx")


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    whole = write_model(tmp_path / "toy.onnx", graph=bytes(300)).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut.onnx").write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"truncated|no model of Antiphon|damaged metadata \(no "):
            read_card(tmp_path / "cut.onnx")


@pytest.mark.parametrize(
    "content", [b"MThd\x00\x00\x00\x06", b"\xff" * 40, b"PK\x03\x04 a checkpoint is a zip", b"\x0b"]
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"other\.onnx.*(truncated, or no ONNX model|no model of Antiphon)"):
        read_card(tmp_path / "other.onnx")


def test_a_stranger_s_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model of Antiphon; make one with `antiphon export`"):
        read_card(write_model(tmp_path / "stranger.onnx", {"author": "somebody"}))


def test_another_contract_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="exported for contract 2; this Antiphon plays 1"):
        read_card(write_model(tmp_path / "later.onnx", METADATA | {"antiphon_contract": "2"}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("capacity", "-1"),
        ("vocabulary", "9" * 30),
        ("window", "9" * 5000),
        ("corpora", "[" * 100_000),
        ("heads", "1e400"),
    ],
)
def test_counts_that_cannot_be_are_refused(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(ModelError, match="damaged metadata"):
        read_card(write_model(tmp_path / "toy.onnx", METADATA | {key: value}))


def test_a_text_that_claims_to_be_longer_than_its_entry_is_refused_at_once(tmp_path: Path) -> None:
    claims_2_to_the_63 = b"\x12" + b"\xff" * 9 + b"\x01"
    entry = b"\x0a\x04name" + claims_2_to_the_63
    (tmp_path / "toy.onnx").write_bytes(bytes((14 * 8 + 2, len(entry))) + entry)
    with pytest.raises(ModelError, match=r"toy\.onnx' is truncated, or no ONNX model"):
        read_card(tmp_path / "toy.onnx")


@given(st.data())
def test_a_model_bent_anywhere_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = write_model(tmp_path_factory.mktemp("bent") / "toy.onnx")
    whole = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4)):
        whole[place] = data.draw(st.integers(0, 255))
    path.write_bytes(whole)
    with suppress(ModelError):
        read_any_card(path)


@pytest.mark.parametrize(("key", "value"), [("window", "wide"), ("corpora", "[1]"), ("corpora", "{"), ("heads", "4.5")])
def test_metadata_that_make_no_sense_are_refused(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(ModelError, match="damaged metadata"):
        read_card(write_model(tmp_path / "toy.onnx", METADATA | {key: value}))


def test_a_problem_with_a_model_is_one_that_a_person_can_mend() -> None:
    assert issubclass(ModelError, AntiphonError)
    assert issubclass(ModelError, ValueError)  # what a generator raises for a model that does not fit
