"""In time with Ardour, which nobody here wrote: it leads, is answered on its bar lines, and records both parts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from operator import itemgetter
from pathlib import Path

import pytest

from antiphon.music.messages import is_note_on, note_off, note_on
from antiphon.music.midi_file import read_score

from .ardour import CLOCK, PROGRAM, Ardour, Recorded, ardour
from .conftest import PERIOD_FRAMES, SAMPLE_RATE, require_programs
from .stage import Command, Timed, decisions, wait_until

jack = pytest.importorskip("jack")

pytestmark = [pytest.mark.timed, pytest.mark.jack, pytest.mark.usefixtures("jack_server")]

TEMPO_BPM = 230
"""A pulse of the clock is no whole number of frames."""
BEAT_SECONDS = 60 / TEMPO_BPM
BAR_SECONDS = 4 * BEAT_SECONDS
PULSE_SECONDS = BEAT_SECONDS / 24
BAR_TICKS = 1920
TRACKS = {"you": 1, "antiphon": 2}
PRESET = """
sync = "midi"
tempo_bpm = 90
[[voice]]
launch = "bar"
answer_bars = 2
channel = 2
[voice.handover]
by = "bars"
bars = 1
"""
CALLS = (60, 64, 67, 65), (67, 65, 64, 62)
NEAR_SECONDS = 0.002 + PERIOD_FRAMES / SAMPLE_RATE
"""What is sent leaves a period after its moment."""
CALM_SECONDS = 4 * BEAT_SECONDS
"""So long after JACK was held up all is in time again: the clock's tempo is taken from its last four beats."""


def score() -> Timed:
    """Every third bar a call in eighths."""
    return [
        (3 * bar * BAR_SECONDS + (number + after) * BEAT_SECONDS / 2, message)
        for bar, pitches in enumerate(CALLS)
        for number, pitch in enumerate(pitches)
        for after, message in ((0.0, note_on(0, pitch, 80)), (0.8, note_off(0, pitch)))
    ]


@dataclass(frozen=True, slots=True)
class Take:
    """What is left of a song that was played together."""

    session: Path
    recorded: dict[str, list[Recorded]]
    """By Ardour, each part by itself."""
    held_up: list[float]
    """When JACK was held up while the song ran, in seconds from its beginning."""

    def recorded_of(self, track: str, played: list[tuple[int, int]]) -> list[tuple[int, Recorded]]:
        """Each note that was `played`, (tick, pitch), as Ardour has it, with its tick.

        It has all of them and no others; in a period in which JACK was held up, a few may be lost, or heard twice.
        """
        recorded, pitches = self.recorded[track], [pitch for _, pitch in played]
        matcher = SequenceMatcher(None, pitches, [note.pitch for note in recorded], autojunk=False)
        blocks = matcher.get_matching_blocks()
        found = [(played[a + n][0], recorded[b + n]) for a, b, length in blocks for n in range(length)]
        if self.held_up:
            assert len(found) > 0.8 * len(played), (track, pitches, recorded, self.held_up)
        else:
            assert len(found) == len(played) == len(recorded), (track, pitches, recorded)
        return found

    def assert_near(self, found: list[tuple[float, Recorded]]) -> None:
        """Notes are at most `NEAR_SECONDS` off where they belong, wherever JACK let them."""
        off = [seconds for seconds, note in found if self._is_calm(note)]
        if self.held_up:
            # A stall as long as a pulse looks like a pulse that was lost: from there on, all is a pulse off.
            off = [seconds - round(seconds / PULSE_SECONDS) * PULSE_SECONDS for seconds in off]
        assert all(abs(seconds) <= NEAR_SECONDS for seconds in off), (off, self.held_up)

    def _is_calm(self, note: Recorded) -> bool:
        """Whether nothing has held up JACK just before `note`, so that all is in time again."""
        seconds = note.sample / SAMPLE_RATE
        # What holds it up makes the song longer than it says.
        return not any(-CALM_SECONDS < moment - seconds < BEAT_SECONDS for moment in self.held_up)


@pytest.fixture
def daw(tmp_path: Path) -> Iterator[Ardour]:
    require_programs(PROGRAM)
    with ardour(tmp_path, TEMPO_BPM, TRACKS) as daw:
        yield daw


@pytest.fixture
def take(daw: Ardour, start: Callable[..., Command], play, xruns: list[float], tmp_path: Path) -> Take:
    """Ardour leads and records, we call, Antiphon answers."""
    session, preset = tmp_path / "session", tmp_path / "in-ardour.toml"
    preset.write_text(PRESET, encoding="utf-8")
    playing = start("jam", preset, "--in", "virtual", "--out", "virtual", "--session", session)
    playing.wait_for("ready in")
    keyboard = play(score(), settle_seconds=0.0)
    patchbay = jack.Client("patchbay", no_start_server=True)
    patchbay.connect(CLOCK, "Antiphon:in")
    for track in TRACKS:
        patchbay.connect("Antiphon:out", f"ardour:{track}/midi_in 1")
    # At first without recording: after that stop, the session marks where the song begins.
    daw.do("play")
    playing.wait_for("following the MIDI clock")
    daw.do("stop")
    playing.wait_for("the clock's transport is stopped")
    daw.do("record")
    playing.wait_for("the clock's transport runs")
    began = time.perf_counter()
    patchbay.connect("keyboard:out", "Antiphon:in")  # At the beginning of a bar: so each call is within its bar.
    patchbay.close()
    keyboard.wait()
    time.sleep(2 * BAR_SECONDS)  # Who looks again and again meanwhile takes the machine from JACK.
    wait_until(lambda: len(decisions(session, "end")) >= len(CALLS), "the last answer is over")
    time.sleep(BEAT_SECONDS)
    assert daw.do("look")["recording"]
    daw.do("stop")
    daw.wait_until(rolling=False)
    assert playing.stop() == 0
    return Take(session, daw.notes(), [moment - began for moment in xruns if moment > began - CALM_SECONDS])


def test_ardour_leads_and_records_both_parts_where_the_session_has_them(
    take: Take, start: Callable[..., Command], tmp_path: Path
) -> None:
    you, antiphon = take.recorded["you"], take.recorded["antiphon"]
    played = read_score(take.session / "session.mid")
    started = [ticks for ticks, text in played.markers if text == "start"][-1]
    song_ticks = round(started / BAR_TICKS) * BAR_TICKS  # It begins with a bar.
    mine, its = (
        [(ticks - song_ticks, message[1]) for ticks, message in track.messages if is_note_on(message)]
        for track in played.tracks
    )
    # Both parts are complete.
    assert [pitch for _, pitch in mine] == [pitch for pitches in CALLS for pitch in pitches]
    take.recorded_of("you", mine)
    answered = take.recorded_of("antiphon", its)
    assert {note.channel for note in you} == {TRACKS["you"]}
    assert {note.channel for note in antiphon} == {TRACKS["antiphon"]}
    # The answers are where the session has them, and begin on the bar lines, as Ardour counts.
    take.assert_near([(note.sample / SAMPLE_RATE - ticks / 480 * BEAT_SECONDS, note) for ticks, note in answered])
    answers = [line["ticks"] - song_ticks for line in decisions(take.session, "answer")]
    assert answers == [number * BAR_TICKS for number in (1, 4)]
    first = [note for ticks, note in answered if ticks in answers]
    assert first
    take.assert_near([(from_bar_line(note), note) for note in first])
    # And so are both, in the files of the take: the run before was the first, unless stalls broke it up.
    told = json.loads((take.session / "session.json").read_text(encoding="utf-8"))
    number = max(told["takes"], key=itemgetter("bars"))["take"]
    assert number == 2 or take.held_up
    exported = start("parts", take.session, "--take", str(number), "-o", tmp_path / "parts")
    assert exported.wait() == 0, exported.said
    assert_it_lies_over(take, tmp_path / "parts", number)
    # Nothing hangs.
    assert told["hanging_notes"] == 0
    longest = (2 * BAR_TICKS + 480) * 4
    assert all(note.length < longest for note in (*you, *antiphon))


def from_bar_line(note: Recorded) -> float:
    """Seconds from the nearest bar line of Ardour's, negative before it."""
    _, beat, ticks = note.bar
    after = (beat - 1) * BEAT_SECONDS + ticks / 1920 * BEAT_SECONDS
    return after if after < BAR_SECONDS / 2 else after - BAR_SECONDS


def assert_it_lies_over(take: Take, folder: Path, number: int) -> None:
    """The files of take `number`, put at the song's beginning, have each note where Ardour has it."""
    for name, part, periods in ("you", "you", 1), ("antiphon", "antiphon-1-markov", 0):  # Your notes come to us first.
        score = read_score(folder / f"take-{number}-{part}.mid")
        if not take.held_up:
            assert score.tempo == ((0, TEMPO_BPM),), "one tempo, as Ardour has it"
        played = [(ticks, message[1]) for ticks, message in score.tracks[0].messages if is_note_on(message)]
        late = periods * PERIOD_FRAMES / SAMPLE_RATE
        take.assert_near(
            [
                ((note.ticks / 4 - ticks) / 480 * BEAT_SECONDS - late, note)
                for ticks, note in take.recorded_of(name, played)
            ]
        )
