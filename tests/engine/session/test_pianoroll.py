"""Piano rolls: the lane of text and the picture."""

import re
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread
from rich.segment import Segment

from antiphon.errors import AntiphonError
from antiphon.music.messages import control_change, note_off, note_on
from antiphon.music.midi_file import Score, Track
from antiphon.notes import Note
from antiphon.session.pianoroll import COLOURS, Stroke, draw, lane

ONE_OCTAVE = (60, 67)  # eight semitones: with 4 rows, one a half block
WIDTH = 44  # 40 cells beside the names: a fifth of a second each over 8 s


def texts(lines: list[list[Segment]]) -> list[str]:
    return ["".join(segment.text for segment in line) for line in lines]


def test_a_note_stands_where_it_was_played_and_as_long_as_it_was() -> None:
    lines = lane([Stroke(60, 80, 6.0, 7.0)], 8.0, columns=WIDTH, rows=4, pitches=ONE_OCTAVE)
    drawn = texts(lines)
    assert [line.strip() for line in drawn[:3]] == ["", "", ""]
    # The cell of this very moment is the last one, so 6.0 s is the eleventh from the right.
    assert drawn[3] == " C4 " + " " * 29 + "▄" * 5 + " " * 6


def test_a_higher_note_of_the_same_line_takes_the_upper_half() -> None:
    drawn = texts(lane([Stroke(61, 80, 7.0, 7.3)], 8.0, columns=WIDTH, rows=4, pitches=ONE_OCTAVE))
    assert "▀" in drawn[3]
    assert "▄" not in drawn[3]


def test_a_held_note_reaches_to_now() -> None:
    drawn = texts(lane([Stroke(60, 80, 7.0)], 8.0, columns=WIDTH, rows=4, pitches=ONE_OCTAVE))
    assert drawn[3].endswith(" ▄▄▄▄▄▄")


def test_an_onset_is_brighter_than_the_note_and_loud_notes_than_soft_ones() -> None:
    def brightness(velocity: int) -> list[int]:
        lines = lane([Stroke(60, velocity, 6.0, 7.0)], 8.0, columns=WIDTH, rows=4, pitches=ONE_OCTAVE)
        triplets = [s.style.color.triplet for s in lines[3] if s.style is not None and s.style.color is not None]
        return [sum(triplet) for triplet in triplets if triplet is not None]

    (onset, loud), (soft_onset, soft) = brightness(127), brightness(20)
    assert onset == soft_onset > loud > soft


def test_what_has_passed_is_gone() -> None:
    drawn = texts(lane([Stroke(60, 80, 0.0, 1.0)], 20.0, columns=WIDTH, rows=4, pitches=ONE_OCTAVE))
    assert "".join(drawn).replace("C4", "").strip() == ""


def test_bars_are_lines_behind_the_notes() -> None:
    drawn = texts(lane([Stroke(60, 80, 3.9, 4.4)], 8.0, columns=WIDTH, rows=4, pitches=ONE_OCTAVE, bars=[4.0]))
    assert [line.count("┊") for line in drawn] == [1, 1, 1, 0]


@given(
    st.lists(
        st.builds(
            Stroke,
            st.integers(0, 127),
            st.integers(1, 127),
            st.floats(0, 100),
            st.none() | st.floats(0, 100),
        ),
        max_size=20,
    ),
    st.floats(0, 100),
    st.integers(1, 200),
    st.integers(1, 10),
)
def test_a_lane_is_exactly_as_large_as_asked(strokes: list[Stroke], now: float, columns: int, rows: int) -> None:
    drawn = texts(lane(strokes, now, columns=columns, rows=rows))
    assert [len(line) for line in drawn] == [max(5, columns)] * rows


@given(st.floats(0, 3), st.integers(0, 60))
def test_a_note_keeps_its_length_as_it_passes(start: float, step: int) -> None:
    def cells(now: float) -> int:
        drawn = texts(lane([Stroke(60, 80, start, start + 0.9)], now, columns=WIDTH, rows=4, pitches=ONE_OCTAVE))
        return drawn[3].count("▄")

    assert cells(4.0) == cells(4.0 + step * 0.05)


Image = npt.NDArray[np.float64]


def pixels(path: Path) -> Image:
    return np.asarray(imread(path), np.float64)[:, :, :3]


def close_to(image: Image, colour: str) -> npt.NDArray[np.bool_]:
    wanted = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    near: npt.NDArray[np.bool_] = np.abs(image - wanted).max(axis=2) < 0.02
    return near


def track(name: str, *notes: Note) -> Track:
    on = [(note.start_ticks, note_on(0, note.pitch, note.velocity)) for note in notes]
    off = [(note.end_ticks, note_off(0, note.pitch)) for note in notes if note.end_ticks is not None]
    return Track(name, tuple(sorted([*off, *on], key=lambda event: event[0])))


def test_a_picture_shows_each_part_in_its_colour_and_the_louder_note_stronger(tmp_path: Path) -> None:
    player = track("you", Note(0, 60, 480, 127), Note(960, 60, 480, 20))
    voice = track("antiphon", Note(1920, 72, None, 127))
    path = tmp_path / "duet.png"
    draw(path, Score((player, voice), markers=((1900, "hand-over"), (3839, "end"))), title="duet")
    image = pixels(path)
    blue, orange = close_to(image, COLOURS[0]), close_to(image, COLOURS[1])
    # The legend's chips are the topmost; below them the voice's note lies above the player's.
    body = slice(image.shape[0] // 6, None)
    blue_rows, blue_columns = np.nonzero(blue[body])
    orange_rows, orange_columns = np.nonzero(orange[body])
    assert orange_rows.max() < blue_rows.min()
    assert orange_columns.min() > blue_columns.max()
    # A note that is never let go lasts to the end of all.
    assert np.ptp(orange_columns) > 0.45 * image.shape[1]
    # Both of the player's notes last half a second; of the soft one only the front edge has the full colour.
    half = image.shape[1] // 6
    loud, soft = np.sum(blue_columns < half), np.sum(blue_columns >= half)
    assert loud > 5 * soft > 0


def test_long_music_goes_on_in_further_rows(tmp_path: Path) -> None:
    heights = []
    for seconds in (30, 100):
        notes = (Note(beat * 480, 60, 240, 80) for beat in range(seconds * 2))
        draw(tmp_path / "roll.png", Score((track("you", *notes),)))
        heights.append(pixels(tmp_path / "roll.png").shape[0])
    assert heights[1] > 2 * heights[0]


def test_a_note_sounds_on_under_a_pedal_of_another_track(tmp_path: Path) -> None:
    pedal = Track("pedal", ((0, control_change(0, 64, 127)), (1900, control_change(0, 64, 0))))
    lengths = []
    for tracks in ([track("you", Note(0, 60, 96, 127))], [track("you", Note(0, 60, 96, 127)), pedal]):
        draw(tmp_path / "roll.png", Score(tuple(tracks)))
        image = pixels(tmp_path / "roll.png")
        columns = np.nonzero(close_to(image, COLOURS[0])[image.shape[0] // 6 :])[1]
        lengths.append(np.ptp(columns) / image.shape[1])
    assert lengths[0] < 0.06
    assert lengths[1] > 0.9


@pytest.mark.parametrize(("suffix", "begin"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".PDF", b"%PDF")])
def test_names_in_any_script_and_encoding_are_drawn(tmp_path: Path, suffix: str, begin: bytes) -> None:
    names = ["a $\\frac{1$ tune", "_hidden", "ピアノ", "\udc93\udc94", "x" * 300, ""] * 7
    tracks = [track(name, Note(480 * index, 60 + index, 100, 80)) for index, name in enumerate(names)]
    markers = tuple((480 * index, name) for index, name in enumerate(names[:6]))
    draw(tmp_path / f"roll{suffix}", Score(tuple(tracks), markers=markers), title=" ".join(names))
    assert (tmp_path / f"roll{suffix}").read_bytes().startswith(begin)


def test_the_gap_of_a_lifetime_is_drawn_at_once(tmp_path: Path) -> None:
    draw(tmp_path / "roll.png", Score((track("you", Note(0, 60, 9, 9), Note(1 << 36, 62, 9, 9)),)))
    assert pixels(tmp_path / "roll.png").shape[0] > 1000


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match="nobody plays a note"):
        draw(tmp_path / "never.png", Score((Track("you", ()),)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x.wav", "x", "x.mid", ".png"])
def test_a_name_that_no_picture_has_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AntiphonError, match=r"no name for a picture; allowed: one that ends in \.png or \.svg or"):
        draw(tmp_path / name, Score((track("you", Note(0, 60, 9, 9)),)))
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_way_to_get_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(AntiphonError, match=rf"install it with: {re.escape(sys.executable)} -m pip install matplotlib"):
        draw(tmp_path / "never.png", Score((track("you", Note(0, 60, 1, 1)),)))


def test_a_picture_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match=r"cannot write '.*roll\.png': No such file"):
        draw(tmp_path / "nowhere" / "roll.png", Score((track("you", Note(0, 60, 9, 9)),)))
