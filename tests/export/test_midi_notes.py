"""What training reads of a MIDI file, beside what is heard when the same file is continued or played."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import AntiphonError
from antiphon.music.messages import control_change, note_off, note_on
from antiphon.music.midi_events import read_events
from antiphon.music.midi_file import Score, Track, read_score, write_score
from antiphon.music.note_rows import rows_of
from antiphon_export.midi_folder import read_midi, read_pieces
from antiphon_export.midi_notes import melodic, notes_in, rows_of_table
from antiphon_export.training import pieces

MIDI_FILES = sorted((Path(__file__).parent.parent / "midi_files").glob("*.mid"))
PEDALS_AND_MODES = (64, 66, 67, 120, 121, 122, 123, 126)

ticks = st.integers(0, 40).map(lambda step: 60 * step)


def heard(path: Path) -> list[list[int]]:
    """The notes that a voice hears of a file."""
    return sorted(rows_of(read_score(path, allow_empty=True).phrase().notes).tolist())


def learnt(path: Path) -> list[list[int]]:
    """The notes that training reads of it."""
    file = notes_in(read_events(path))
    rows = [rows_of_table(track.notes, 480 / file.tpq, "sounding") for track in melodic(file)]
    together = np.concatenate([np.zeros((0, 4), dtype=np.int64), *rows])
    return sorted(together.tolist())


@st.composite
def scores(draw: st.DrawFn) -> Score:
    """Tracks whose notes have channels of their own, with pedals and mode messages for any channel."""
    tracks = []
    for number in range(draw(st.integers(1, 3))):
        events = []
        for _ in range(draw(st.integers(0, 12))):
            channel = draw(st.sampled_from((number, number + 4, 9)))
            pitch = draw(st.integers(60, 62))
            on = note_on(channel, pitch, draw(st.integers(1, 127)))
            events.append((draw(ticks), draw(st.sampled_from((on, on, note_off(channel, pitch))))))
        for _ in range(draw(st.integers(0, 8))):
            message = control_change(
                draw(st.integers(0, 6)),
                draw(st.sampled_from(PEDALS_AND_MODES)),
                draw(st.sampled_from((0, 63, 64, 127))),
            )
            events.append((draw(ticks), message))
        if draw(st.booleans()):
            events = [(t, m) for t, m in events if m[0] & 0x0F != 9]  # Drums are heard in one track only.
        tracks.append(Track("", tuple(sorted(events, key=lambda event: event[0]))))
    return Score(tuple(tracks), tempo=draw(st.sampled_from(((), ((0, 60.0), (600, 150.0))))))


@given(scores())
def test_training_reads_the_notes_that_a_voice_hears(tmp_path_factory: pytest.TempPathFactory, score: Score) -> None:
    path = tmp_path_factory.mktemp("made") / "made.mid"
    write_score(path, score)
    assert learnt(path) == heard(path)


def refused(read: Callable[[], object]) -> str:
    """What `read` says against the file; empty if it reads it."""
    try:
        read()
    except AntiphonError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("path", MIDI_FILES, ids=lambda path: path.stem)
def test_an_odd_file_is_read_or_refused_alike_by_all(path: Path) -> None:
    readers = (
        lambda: pieces.read_performance(path, "train"),
        lambda: pieces.read_score(path, "train"),
        lambda: list(read_pieces(path)),
    )
    if refusal := refused(lambda: heard(path)):
        assert {refused(read) for read in (lambda: read_midi(path), *readers)} == {refusal}
        return
    expected = heard(path)
    assert learnt(path) == expected
    if not expected:
        for read in readers:
            with pytest.raises(AntiphonError, match="has no notes"):
                read()
        return
    for read in readers:
        (piece,) = read()
        assert piece.parts[0][:, 1].tolist() == [row[1] for row in expected]
        assert (piece.parts[0] >= 0).all()


def test_a_pedal_in_another_track_of_the_channel_holds_the_notes(tmp_path: Path) -> None:
    pedals = Track("pedals", ((0, control_change(0, 64, 127)), (1920, control_change(0, 64, 0))))
    hand = Track(
        "hand", ((0, note_on(0, 60, 80)), (240, note_off(0, 60)), (480, note_on(0, 64, 80)), (720, note_off(0, 64)))
    )
    other = Track("other", ((0, note_on(1, 40, 80)), (240, note_off(1, 40))))
    write_score(tmp_path / "a.mid", Score((pedals, hand, other)))
    (played,) = pieces.read_performance(tmp_path / "a.mid", "train")
    assert played.parts[0].tolist() == [[0, 40, 240, 80], [0, 60, 1920, 80], [480, 64, 1440, 80]]
    (written,) = pieces.read_score(tmp_path / "a.mid", "train")
    assert written.parts[0][:, 2].tolist() == [240, 240, 240], "a score is read as it is written"


def test_real_time_follows_the_tempo_map(tmp_path: Path) -> None:
    hand = Track("", tuple((480 * beat, message(0, 60, 80)) for beat in range(4) for message in (note_off, note_on)))
    write_score(tmp_path / "a.mid", Score((hand,), tempo=((480, 60.0), (960, 240.0))))
    (piece,) = pieces.read_performance(tmp_path / "a.mid", "train")
    assert piece.parts[0][:, 0].tolist() == [0, 480, 1440, 1680]


def test_two_hands_on_one_channel_stay_apart(tmp_path: Path) -> None:
    high = Track("high", ((0, note_on(0, 60, 80)), (960, note_off(0, 60))))
    low = Track("low", ((480, note_on(0, 60, 70)), (600, note_off(0, 60))))
    write_score(tmp_path / "a.mid", Score((high, low)))
    (piece,) = pieces.read_score(tmp_path / "a.mid", "train")
    assert piece.parts[0].tolist() == [[0, 60, 960, 80], [480, 60, 120, 70]]
