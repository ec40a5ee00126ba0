"""A file as a session hears it: the beats or the seconds that it has, up to the bar line where the answer begins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.duet.lead_in import LeadIn
from antiphon.duet.plan import SLOWEST_BPM
from antiphon.music import messages
from antiphon.music.ear import Ear
from antiphon.music.midi_file import Score, Track
from antiphon.music.timing import TimeSignature

QUARTERS = tuple(
    event
    for beat in range(8)
    for event in ((480 * beat, messages.note_on(0, 60, 80)), (480 * beat + 479, messages.note_off(0, 60)))
)


def quarters(*tempo: tuple[int, float], signatures: tuple[tuple[int, TimeSignature], ...] = ()) -> Score:
    return Score((Track("", QUARTERS),), tempo, signatures)


def onsets(heard: LeadIn) -> list[int]:
    return [ticks - heard.begin_ticks for ticks, message in heard.messages() if messages.is_note_on(message)]


@pytest.mark.parametrize("follows", ["beat", "free"])
def test_a_file_of_one_tempo_and_one_metre_is_heard_tick_by_tick(follows: str) -> None:
    score = quarters((0, 97.0), signatures=((0, TimeSignature(3, 4)),))
    heard = LeadIn(score, "beat" if follows == "beat" else "free")
    assert list(heard.messages()) == score.merged()
    assert (heard.line_ticks, heard.begin_ticks, heard.bpm) == (4320, 4320, 97.0)


@pytest.mark.parametrize(
    ("signatures", "line_ticks"),
    [
        (((0, TimeSignature(1, 4)), (480, TimeSignature(4, 4))), 480 + 2 * 1920),
        (((0, TimeSignature(4, 4)), (1920, TimeSignature(3, 4))), 1920 + 2 * 1440),
        (((0, TimeSignature(5, 8)),), 4 * 1200),
        (((0, TimeSignature(3, 4)), (3839, TimeSignature(7, 8))), 3839),
        (((960, TimeSignature(2, 2)),), 960 + 2 * 1920),
        (((0, TimeSignature(3, 8)), (480, TimeSignature(6, 8))), 480 + 3 * 1440),
    ],
)
@pytest.mark.parametrize("follows", ["beat", "free"])
def test_it_goes_on_at_the_bar_line_of_the_metre_in_force(
    signatures: tuple[tuple[int, TimeSignature], ...], line_ticks: int, follows: str
) -> None:
    heard = LeadIn(quarters(signatures=signatures), "beat" if follows == "beat" else "free")
    assert heard.line_ticks == line_ticks
    assert heard.signature == signatures[-1][1]
    assert heard.begin_ticks % heard.signature.bar_ticks == 0
    assert onsets(heard) == [480 * beat - line_ticks for beat in range(8)], "and hears all of it in its place"


def test_in_free_time_a_note_is_heard_at_the_tempo_that_it_had() -> None:
    heard = LeadIn(quarters((0, 120.0), (3360, 60.0)), "free")
    assert heard.bpm == 60
    assert onsets(heard) == [-480 - 240 * beat for beat in range(7, -1, -1)]
    assert heard.score_ticks(heard.begin_ticks + 480) == 3840 + 480, "what it plays is at the tempo it goes on at"


def test_who_follows_the_beat_hears_beats_whatever_the_tempo_was() -> None:
    heard = LeadIn(quarters((0, 120.0), (3360, 12.0)), "beat")
    assert onsets(heard) == [480 * beat - 3840 for beat in range(8)]
    assert heard.bpm >= SLOWEST_BPM


@pytest.mark.parametrize("bpm", [3.6, 12.0, 19.9])
def test_a_fermata_at_the_end_is_heard_as_long_as_it_is_and_the_answer_s_bars_are_the_file_s(bpm: float) -> None:
    heard = LeadIn(quarters((0, 120.0), (3360, bpm)), "free")
    assert heard.bpm >= SLOWEST_BPM
    ticks_a_second = heard.bpm * 8
    last, before = onsets(heard)[-1], onsets(heard)[-2]
    assert -last / ticks_a_second == pytest.approx(60 / bpm, abs=0.005)
    assert (last - before) / ticks_a_second == pytest.approx(0.5, abs=0.005)
    assert heard.score_ticks(heard.begin_ticks + 3 * heard.signature.bar_ticks) == 3840 + 3 * 1920


tempi = st.lists(st.tuples(st.integers(0, 4000), st.floats(4, 1000)), max_size=6, unique_by=lambda t: t[0]).map(sorted)
metres = st.builds(TimeSignature, st.integers(1, 13), st.sampled_from([2, 4, 8, 16]))
changes = st.lists(st.tuples(st.integers(0, 4000), metres), max_size=4, unique_by=lambda t: t[0]).map(sorted)


@given(tempi, changes, st.sampled_from(["beat", "free"]))
def test_whatever_tempi_and_metres_a_file_has_all_of_it_is_heard_in_order_and_in_time(
    tempo: list[tuple[int, float]], signatures: list[tuple[int, TimeSignature]], follows: str
) -> None:
    score = Score((Track("", QUARTERS),), tuple(tempo), tuple(sorted(signatures, key=lambda s: s[0])))
    heard = LeadIn(score, "beat" if follows == "beat" else "free")
    told = list(heard.messages())
    ticks = [tick for tick, _ in told]
    assert ticks == sorted(ticks)
    assert 0 <= ticks[0] <= ticks[-1] <= heard.begin_ticks
    assert heard.begin_ticks % heard.signature.bar_ticks == 0
    assert heard.line_ticks >= score.end_ticks
    if follows == "free":
        seconds = [score.timeline().seconds_at(tick) for tick, _ in score.merged()]
        passed = [(tick - ticks[0]) / (heard.bpm * 8) for tick in ticks]
        assert passed == pytest.approx([s - seconds[0] for s in seconds], abs=1.01 / (heard.bpm * 8))
    ear = Ear()
    for tick, message in told:
        ear.hear(message, tick)
    assert all((note.length_ticks or 0) >= 1 for note in ear.notes)
