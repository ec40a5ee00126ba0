"""A figure is judged by its targets, and a table tells a reader what was met, missed or not measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner

from antiphon_export.bench import host
from antiphon_export.bench.commands import bench
from antiphon_export.bench.figures import (
    Figure,
    Row,
    Target,
    Unmeasured,
    as_data,
    figure,
    milliseconds,
    table,
    verdicts,
)

GOOD = milliseconds("own notes", [0.0001, 0.0002], Target("p99", 0.5))
BAD = milliseconds("own notes", [0.0001, 0.0009], Target("p50", 0.5), Target("p99", 0.5))
TOLD = figure("memory", "MB", [30.0])
MISSING = Unmeasured("a burst through JACK", "jackd is not installed")


def judged(row: Row) -> str:
    assert isinstance(row, Figure)
    return row.verdict


def test_a_target_that_is_just_reached_is_met() -> None:
    assert judged(figure("x", "ms", [1.0, 2.0], Target("max", 2))) == "met"
    assert judged(figure("x", "ms", [1.0, 2.001], Target("max", 2))) == "missed"


def test_what_should_be_large_is_missed_when_it_is_small() -> None:
    ratio = Target("p50", 40, at_least=True)
    assert judged(figure("so many times as fast", "×", [40.0], ratio)) == "met"
    assert judged(figure("so many times as fast", "×", [39.9], ratio)) == "missed"
    assert str(ratio) == "p50 ≥ 40"
    assert as_data([figure("so many times as fast", "×", [40.0], ratio)])[0]["targets"] == {"p50 at least": 40}


def test_one_missed_target_of_two_is_a_miss() -> None:
    assert judged(BAD) == "missed"


def test_a_figure_without_a_target_is_not_judged() -> None:
    assert judged(TOLD) == ""
    assert verdicts([TOLD, MISSING]) == "0 of 0 rows meet their targets"


def test_seconds_come_out_as_milliseconds() -> None:
    assert isinstance(GOOD, Figure)
    assert (GOOD.values["p50"], GOOD.values["max"], GOOD.count, GOOD.unit) == (0.1, 0.2, 2, "ms")


def test_without_values_there_is_no_figure() -> None:
    assert isinstance(figure("x", "ms", []), Unmeasured)


def test_every_row_of_a_table_says_how_it_ended() -> None:
    head, good, bad, told, missing = table([GOOD, BAD, TOLD, MISSING])
    assert head.split()[:3] == ["what", "n", "p50"]
    assert good.endswith("met")
    assert bad.endswith("missed")
    assert told.endswith("MB")
    assert missing.endswith("not measured: jackd is not installed")


def test_a_single_value_is_shown_once() -> None:
    assert table([TOLD])[1].split() == ["memory", "1", "30", "MB"]


def test_the_rows_that_missed_are_named() -> None:
    assert verdicts([GOOD, BAD]) == "1 of 2 rows meet their targets; missed: own notes"


def test_as_data_a_row_keeps_its_values_and_its_targets() -> None:
    good, _, told, missing = as_data([GOOD, BAD, TOLD, MISSING])
    assert good["targets"] == {"p99": 0.5}
    assert (good["p99"], good["verdict"]) == (0.2, "met")
    assert told["verdict"] is None
    assert missing == {"what": MISSING.what, "not_measured": MISSING.why}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is measured: these are the rows."""

    def measure_host(extent: host.Extent, say: Callable[[str], None], only: str) -> Iterator[Row]:
        say("nothing")
        yield from [GOOD, BAD, MISSING]

    monkeypatch.setattr(host, "measure_host", measure_host)


@pytest.mark.usefixtures("measured")
def test_the_command_names_the_machine_and_what_missed_and_still_succeeds() -> None:
    result = CliRunner().invoke(bench, ["host", "--quick"])
    assert result.exit_code == 0
    assert "cores" in result.output
    assert "QUICK" in result.output
    assert "missed: own notes" in result.output


@pytest.mark.usefixtures("measured")
def test_the_command_prints_json_and_nothing_else_to_stdout() -> None:
    result = CliRunner().invoke(bench, ["host", "--json", "--seconds", "7"])
    report = json.loads(result.stdout)
    assert report["seconds"] == 7
    assert report["quick"] is False
    assert report["machine"]["cores"] >= 1
    assert [row.get("verdict") for row in report["rows"]] == ["met", "missed", None]
