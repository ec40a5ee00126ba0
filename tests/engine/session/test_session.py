"""What becomes of a performance: score and statistics."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.duet.commands import Decision
from antiphon.duet.events import Ended, Heard, Restarted, Selected
from antiphon.duet.plan import Plan, VoicePlan
from antiphon.duet.schedule import PLAYER, Send
from antiphon.music import messages
from antiphon.music.timing import TimeSignature
from antiphon.session.header import Header
from antiphon.session.journal import Record
from antiphon.session.percentiles import percentiles
from antiphon.session.summary import answer_latencies, hanging, score_of, statistics, timeline_of, write_statistics

HEADER = Header(
    (
        Plan("one", (VoicePlan("markov"),), seed=3),
        Plan("two", (VoicePlan("lstm"), VoicePlan("vae")), 60.0, TimeSignature(3, 4)),
    ),
    ("virtual", "synth"),
    {"antiphon": "0.1.0"},
    "2026-03-01T20:15:00+01:00",
)


def on(ticks: int, pitch: int, source: int, output: int = 0, late: float | None = None) -> Record:
    return Record(Send(output, messages.note_on(1, pitch, 80), ticks, source), late)


def off(ticks: int, pitch: int, source: int, output: int = 0, late: float | None = None) -> Record:
    return Record(Send(output, messages.note_off(1, pitch), ticks, source), late)


def heard(ticks: int, message: bytes) -> Record:
    return Record(Heard(ticks, message))


def decided(kind: str, ticks: int, voice: int = 0, text: str = "") -> Record:
    return Record(Decision(kind, voice, ticks, text))  # type: ignore[arg-type]


def test_the_player_and_each_voice_have_a_track() -> None:
    press, release = messages.note_on(0, 60, 80), messages.note_off(0, 60)
    records = [
        *(heard(0, press), on(0, 60, PLAYER), heard(5, b"\xf0\x7e\xf7"), heard(9, release), off(9, 60, PLAYER)),
        *(on(20, 72, 0), on(20, 72, 0, output=1), off(30, 72, 0), off(30, 72, 0, output=1)),
        *(on(40, 74, 1, output=1), off(50, 74, 1, output=1)),
    ]
    score = score_of(HEADER, records)
    assert [track.name for track in score.tracks] == ["you", "antiphon 1 markov, lstm", "antiphon 2 vae"]
    assert [track.messages for track in score.tracks] == [
        ((0, press), (9, release)),
        ((20, messages.note_on(1, 72, 80)), (30, messages.note_off(1, 72))),
        ((40, messages.note_on(1, 74, 80)), (50, messages.note_off(1, 74))),
    ]


def test_presets_bring_tempo_metre_and_a_marker() -> None:
    records = [decided("handover", 100), decided("answer", 100), decided("touch", 200), Record(Selected(960, 1))]
    score = score_of(HEADER, records)
    assert score.tempo == ((0, 120.0), (960, 60.0))
    assert score.signatures == ((0, TimeSignature(3, 4)),), "the first of its bar lines is at 1440"
    assert score.markers == ((0, "one"), (100, "antiphon"), (200, "you"), (960, "two"))
    assert timeline_of(HEADER, records).seconds_at(960 + 480) == 2.0
    assert timeline_of(HEADER, records).signature == TimeSignature(3, 4)


def test_what_the_player_holds_at_the_end_is_closed_there() -> None:
    records = [
        *(heard(0, messages.note_on(0, 60, 80)), heard(1, messages.note_on(0, 64, 80))),
        *(heard(2, messages.note_on(0, 60, 0)), Record(Ended(50))),
    ]
    assert score_of(HEADER, records).tracks[0].messages[-1] == (50, messages.note_off(0, 64))
    assert len(score_of(HEADER, [*records, Record(Ended(60))]).tracks[0].messages) == 4


def test_what_a_dead_engine_left_sounding_is_closed_where_the_next_one_begins() -> None:
    records = [heard(0, messages.note_on(0, 60, 80)), on(0, 60, PLAYER), on(10, 72, 0), Record(Restarted(400, 0))]
    score = score_of(HEADER, records)
    assert score.tracks[0].messages[-1] == (400, messages.note_off(0, 60))
    assert score.tracks[1].messages[-1] == (400, messages.note_off(1, 72))
    assert hanging(records) == 0


def test_hanging_notes_are_counted_by_output_channel_and_pitch() -> None:
    assert hanging([on(0, 60, 0), on(0, 60, 0, output=1), on(1, 61, 0), off(2, 60, 0), off(2, 61, 0)]) == 1


def test_the_statistics_of_a_session(tmp_path: Path) -> None:
    records = [
        *(heard(0, messages.note_on(0, 60, 80)), on(0, 60, PLAYER, late=0.0002)),
        *(heard(100, messages.note_off(0, 60)), off(100, 60, PLAYER, late=0.0004)),
        decided("handover", 960),
        *(on(960, 72, 0, late=0.001), on(960, 72, 0, output=1)),
        decided("fallback", 1440, text="echo: it is late; markov plays"),
        *(off(1440, 72, 0, late=0.003), off(1440, 72, 0, output=1)),
        *(decided("end", 1920), Record(Ended(1920))),
    ]
    values = statistics(HEADER, records)
    assert values == {
        "started": "2026-03-01T20:15:00+01:00",
        "versions": {"antiphon": "0.1.0"},
        "presets": ["one", "two"],
        "seed": 3,
        "outputs": ["virtual", "synth"],
        "seconds": 2.0,
        "notes_heard": 1,
        "notes_played": 1,
        "hanging_notes": 0,
        "thru_ms": {"n": 2, "p50": 0.2, "p95": 0.4, "p99": 0.4, "max": 0.4},
        "lateness_ms": {"n": 2, "p50": 1.0, "p95": 3.0, "p99": 3.0, "max": 3.0},
        "answer_ms": {"n": 1, "p50": 1.0, "p95": 1.0, "p99": 1.0, "max": 1.0},
        "takes": [],
        "decisions": {"handover": 1, "fallback": 1, "end": 1},
        "fallbacks": [{"seconds": 1.5, "voice": 1, "why": "echo: it is late; markov plays"}],
    }
    write_statistics(tmp_path, values)
    assert json.loads((tmp_path / "session.json").read_text()) == values


def test_the_latency_of_an_answer_counts_from_the_moment_it_was_meant_for() -> None:
    records = [
        *(decided("handover", 960), on(984, 72, 0, late=0.001), on(1000, 74, 0, late=0.5)),
        *(decided("handover", 2000), decided("touch", 1990), on(2100, 60, 0, late=0.9)),
        *(decided("handover", 3000), on(3000, 60, PLAYER, late=0.9), off(3000, 60, 0, late=0.9)),
        *(on(3000, 60, 0), on(3000, 61, 0, late=0.9)),
    ]
    assert answer_latencies(HEADER, records) == [pytest.approx(0.025 + 0.001)]


def test_an_empty_session_has_statistics_too() -> None:
    values = statistics(HEADER, [])
    assert (values["seconds"], values["thru_ms"], values["answer_ms"]) == (0.0, None, None)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7.0], {"n": 1, "p50": 7.0, "p95": 7.0, "p99": 7.0, "max": 7.0}),
        ([3.0, 1.0], {"n": 2, "p50": 1.0, "p95": 3.0, "p99": 3.0, "max": 3.0}),
        (list(range(1, 101)), {"n": 100, "p50": 50, "p95": 95, "p99": 99, "max": 100}),
        (list(range(1, 21)), {"n": 20, "p50": 10, "p95": 19, "p99": 20, "max": 20}),
        ([], None),
    ],
)
def test_percentiles_are_values_that_were_measured(values: list[float], expected: dict[str, float] | None) -> None:
    assert percentiles(values) == expected


@given(st.lists(st.integers(0, 10**6).map(float), min_size=1))
def test_percentiles_rise_and_were_measured(values: list[float]) -> None:
    found = percentiles(values)
    assert found is not None
    assert found["p50"] <= found["p95"] <= found["p99"] <= found["max"] == max(values)
    assert all(found[name] in values for name in ("p50", "p95", "p99"))


def test_who_writes_the_session_while_it_is_played_waits_for_no_numpy() -> None:
    code = "import sys, antiphon.processes.supervisor; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
