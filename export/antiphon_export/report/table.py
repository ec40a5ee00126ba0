"""The report as tables of text, which are Markdown too. It measures nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from antiphon_export.report.findings import Report, Row
from antiphon_export.report.quoting import RUNS

_RUNS_TOLD = RUNS[:4]


def lines(report: Report) -> Iterator[str]:
    """The whole report, line by line."""
    extent = report.extent
    last = extent.seed + extent.seeds - 1
    who = f"{report.generator} with {report.model}" if report.model else report.generator
    yield (
        f"{who} beside {report.folder}: {report.calls} calls of {report.pieces} pieces ({report.pulses} with a clear "
        f"pulse), {report.endings} endings, seeds {extent.seed} to {last}; "
        f"{report.silent} of {report.answers} answers have fewer than 3 notes"
    )
    yield ""
    yield from _comparison(report.rows)
    if report.accompaniment:
        yield ""
        yield from _comparison(report.accompaniment)
    yield ""
    yield from _table(
        [f"plain calls, {extent.plain_seeds} seeds", "in key", "in time", "swing kept", "ends at rest", "in the triad"],
        [
            [name, *(_percent(value) for value in (s.in_key, s.in_time, s.swing_kept, s.ends_at_rest, s.ends_in_triad))]
            for name, s in report.plain.items()
        ],
    )
    yield ""
    pulse = report.pulse
    yield from _table(
        ["coherence with the call's eighths", "call", "answers", "as many onsets at random"],
        [
            ["even", _number(pulse.call), _number(pulse.answers), _number(pulse.random)],
            [
                "with 20 ms of human noise",
                _number(pulse.noisy_call),
                _number(pulse.noisy_answers),
                _number(pulse.random),
            ],
        ],
    )
    yield ""
    yield f"the same answer to different calls: {report.same} of {report.same_of}"
    if report.moved is not None:
        yield (
            f"the beat moved by a sixteenth: {report.moved.moved:.3f} nats a note; where it is: "
            f"{report.moved.aligned:.3f}; difference {report.moved.difference:+.3f}"
        )
    if report.quoting is not None:
        yield ""
        yield from _table(
            ["runs of n events in training pieces", *map(str, _RUNS_TOLD), "longest"],
            [
                [name, *(_percent(share, 2) for share in quoting.shares[: len(_RUNS_TOLD)]), str(quoting.longest)]
                for name, quoting in report.quoting.items()
            ],
        )


def _comparison(rows: Sequence[Row]) -> Iterator[str]:
    along = rows[0].beside == "accompaniments"
    real = ["playing along", "the pianist"] if along else ["", "real", "endings"]
    yield from _table(
        [*real, "chance", "answers", "spread", "answers off by", "chance off by"],
        [
            [
                row.name,
                _number(row.real, row.decimals),
                *([] if along else [_number(row.endings, row.decimals)]),
                *(_number(value, row.decimals) for value in (row.chance, row.answers, row.spread)),
                *(_number(value, 1) for value in (row.distance, row.chance_distance)),
            ]
            for row in rows
        ],
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield "|---" * len(header) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _number(value: float, decimals: int = 2) -> str:
    return "—" if math.isnan(value) else f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def _percent(value: float, decimals: int = 0) -> str:
    return "—" if math.isnan(value) else f"{value:.{decimals}%}"
