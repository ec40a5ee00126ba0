"""What is computed from a performance of the Transformer is what happened in it; what is chosen is measured."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from antiphon.duet.commands import Decision
from antiphon.duet.plan import Handover, Plan
from antiphon.duet.schedule import Send
from antiphon.errors import AntiphonError
from antiphon.music import messages
from antiphon.session.header import Header
from antiphon.session.journal import Record, Session
from antiphon_export.bench import models, token_voice
from antiphon_export.bench.commands import bench
from antiphon_export.bench.figures import Figure, Row, Unmeasured, figure
from antiphon_export.bench.generators import TEMPO_BPM
from antiphon_export.bench.performance import Performance
from antiphon_export.bench.scores import BY_SIGNAL, call, dialogue
from antiphon_export.bench.token_voice import Meter
from antiphon_export.bench.witness import Timed

MODEL = "some.onnx"
Watch = Callable[[float], None]


def performance(*records: Record) -> Performance:
    header = Header((Plan(tempo_bpm=TEMPO_BPM),), ("virtual",), {}, "today")
    return Performance(Session(Path(), header, records), 0.0, [], [])


def played_note(ticks: int, late_seconds: float = 0.0) -> Record:
    return Record(Send(0, messages.note_on(1, 60, 80), ticks, 0), late_seconds)


def decided(kind: Any, ticks: int) -> Record:
    return Record(Decision(kind, 0, ticks, ""))


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A player that takes 0.2 of a core, and a performance that lasts 20 s and never happens."""
    stage = SimpleNamespace(now=0.0, records=[], plan=None, score=None, family={"supervisor": 1, "player 3": 4})
    stage.family |= {"player 2": 7}

    def perform(
        plan: Plan, score: Timed, folder: Path, backend: str, tail_seconds: float, watch: Watch = lambda _: None
    ) -> Performance:
        stage.plan, stage.score = plan, score
        while stage.now < 40:
            watch(stage.now)
            stage.now += 0.05
        return performance(*stage.records)

    def spent(pid: int) -> float:
        assert pid == 7
        return 0.2 * float(stage.now)

    monkeypatch.setattr(token_voice, "perform", perform)
    monkeypatch.setattr(token_voice, "time", SimpleNamespace(perf_counter=lambda: stage.now))
    monkeypatch.setattr(token_voice, "family", lambda pid: stage.family)
    monkeypatch.setattr(token_voice, "processor_seconds", spent)
    monkeypatch.setattr(token_voice, "resident_megabytes", lambda pid: 100 + stage.now % 3)
    return stage


def figures(rows: list[Row]) -> dict[str, Figure]:
    return {row.what.strip(): row for row in rows if isinstance(row, Figure)}


# ---- scores ----------------------------------------------------------------------------------------------------------


def test_a_call_has_so_many_notes_and_ends_as_a_person_plays() -> None:
    score = call(1.0, 20)
    onsets = [seconds for seconds, message in score if messages.is_note_on(message)]
    assert len(onsets) == 20
    assert onsets[0] == 1.0
    assert onsets[-1] - onsets[-2] == pytest.approx(0.1)
    assert [seconds for seconds, _ in score] == sorted(seconds for seconds, _ in score)


def test_the_signal_comes_with_the_last_release() -> None:
    score = dialogue([2, 3], "trigger", 1.0)
    signals = [seconds for seconds, message in score if message[0] & 0xF0 == 0xB0]
    releases = [seconds for seconds, message in score if messages.is_note_off(message)]
    assert signals == [releases[1]] * 2 + [releases[4]] * 2
    assert not [message for _, message in dialogue([2, 3], "silence", 1.0) if message[0] & 0xF0 == 0xB0]


# ---- a performance ---------------------------------------------------------------------------------------------------


def test_an_answer_is_counted_to_the_length_of_its_call(tmp_path: Path, stage: SimpleNamespace) -> None:
    for start, late in ((1000, 0.004), (3000, 0.006), (9000, 0.010)):
        stage.records += [decided("handover", start), played_note(start, late)]
    rows = token_voice.hand_overs(tmp_path, "socket", [(64, 2), (256, 1)], "trigger", MODEL)
    found = figures(rows)
    short, long = (found[f"hand-over by trigger at the last release, call of {events} events"] for events in (64, 256))
    assert (short.count, round(short.values["max"], 3)) == (2, 6)
    assert (long.count, round(long.values["max"], 3)) == (1, 10)
    assert found["the longest calls beside the shortest, medians"].values["max"] == pytest.approx(2)
    assert found["the longest calls beside the shortest, medians"].verdict == "missed"
    assert found["times the fallback stood in: hand-over by trigger at the last release"].verdict == "met"
    assert stage.plan.voices[0].handover == BY_SIGNAL
    assert stage.plan.voices[0].model == MODEL
    assert sum(messages.is_note_on(message) for _, message in stage.score) == 32 + 32 + 128


def test_a_fallback_that_stands_in_is_a_miss(tmp_path: Path, stage: SimpleNamespace) -> None:
    stage.records += [decided("handover", 1000), decided("fallback", 1030), played_note(1030)]
    *_, row = token_voice.hand_overs(tmp_path, "socket", [(64, 1)], "silence", MODEL)
    assert isinstance(row, Figure)
    assert (row.values["max"], row.verdict) == (1, "missed")
    assert stage.plan.voices[0].handover == Handover()


def test_cpu_is_told_for_twenty_notes_a_second_whatever_was_played(tmp_path: Path, stage: SimpleNamespace) -> None:
    stage.records += [played_note(ticks) for ticks in range(0, 40_000, 100)]  # at this tempo, ten a second
    found = figures(token_voice.weight(tmp_path, "socket", bars=6, model=MODEL))
    assert found["as it played: notes"].values["max"] == pytest.approx(10, rel=0.02)
    assert found["as it played: CPU"].values["max"] == pytest.approx(20)
    share = found["CPU of the player of a voice, at 20 notes a second"]
    assert share.values["max"] == pytest.approx(40, rel=0.02)
    assert share.verdict == "missed"
    assert found["resident memory of its player"].values["max"] == pytest.approx(103, abs=0.1)


def test_what_the_fallback_played_is_not_taken_for_the_transformer(tmp_path: Path, stage: SimpleNamespace) -> None:
    stage.records += [decided("fallback", 30), *(played_note(ticks) for ticks in range(0, 40_000, 100))]
    rows = token_voice.weight(tmp_path, "socket", bars=6, model=MODEL)
    assert isinstance(rows[0], Unmeasured)


def test_without_proc_nothing_is_weighed(tmp_path: Path, stage: SimpleNamespace) -> None:
    stage.family = None
    (row,) = token_voice.weight(tmp_path, "socket", bars=6, model=MODEL)
    assert isinstance(row, Unmeasured)


@pytest.mark.usefixtures("stage")
def test_a_player_that_is_never_seen_is_no_figure() -> None:
    with pytest.raises(AntiphonError, match="does not stay alive"):
        Meter(math.inf).over(1.0)


def test_lateness_is_judged_beside_the_transformer(
    tmp_path: Path, stage: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def metronome_beside(voice: Any, folder: Path, backend: str, seconds: float) -> Performance:
        assert (voice.generator, voice.mode) == ("transformer", "continue")
        return performance(played_note(20, 0.002), played_note(40, 0.0))

    monkeypatch.setattr(token_voice, "metronome_beside", metronome_beside)
    found = figures(token_voice.lateness(tmp_path, "socket", 1.0, MODEL))
    assert found["lateness beside the Transformer, socket ports"].verdict == "missed"
    assert "times the fallback stood in: lateness" in found


def test_without_a_shipped_model_it_is_said_what_to_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registered = SimpleNamespace(info=SimpleNamespace(models=tmp_path))
    monkeypatch.setattr(token_voice, "load_plugins", lambda: SimpleNamespace(generator=lambda name: registered))
    with pytest.raises(AntiphonError, match="--model"):
        token_voice.voice(None, "answer", BY_SIGNAL)


# ---- all of it -------------------------------------------------------------------------------------------------------


def test_only_what_is_chosen_is_measured_and_what_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path, **_: Any) -> list[Row]:
        assert not folder.exists()
        raise AntiphonError("the disk is full")

    monkeypatch.setattr(models, "study_steps", fail)
    monkeypatch.setattr(models, "study_steps_with_cuda", lambda folder, **_: [figure("on a GPU", "ms", [1.0])])
    told: list[str] = []
    rows = list(models.measure_models(models.QUICK, told.append, "step"))
    assert told == ["step time", "step time with CUDA"]
    assert rows[0] == Unmeasured("step time", "the disk is full")
    assert isinstance(rows[1], Figure)


def test_the_short_measurement_has_the_same_rows_as_the_long_one() -> None:
    assert [events for events, _ in models.QUICK.calls] == [events for events, _ in models.FULL.calls]
    assert models.QUICK.bars * 1.92 > 10


@pytest.mark.parametrize("quick", [True, False])
def test_the_command_hands_on_what_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: bool) -> None:
    own = tmp_path / "own.onnx"
    own.write_bytes(b"")

    def measure_models(
        extent: models.Extent, say: Callable[[str], None], only: str, others: models.Others
    ) -> Iterator[Row]:
        assert extent == (models.QUICK if quick else models.FULL)
        assert others == models.Others(own, tmp_path)
        say(only)
        yield figure("a token", "ms", [0.5])

    monkeypatch.setattr(models, "measure_models", measure_models)
    arguments = ["models", "--model", str(own), "--study-code", str(tmp_path), "--only", "CPU", "--json"]
    result = CliRunner().invoke(bench, [*arguments, *(["--quick"] if quick else [])])
    report = json.loads(result.stdout)
    assert (report["quick"], report["rows"][0]["max"]) == (quick, 0.5)
    assert "measuring CPU" in result.stderr
