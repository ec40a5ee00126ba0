"""What `antiphon jam` and `antiphon demo` show while music plays. It is told everything and asks nobody."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.segment import Segment, Segments
from rich.text import Text

from antiphon.music.timing import Timeline, TimeSignature
from antiphon.session.pianoroll import COLOURS, Stroke, lane

_WINDOW_SECONDS: Final = 8.0
_REPORTS: Final = 4
_MOST_LANE_ROWS: Final = 8
_LATENCIES: Final = 1000
"""How many of the latest answers the percentiles speak of."""


@dataclass(slots=True)
class _Lane:
    """One part on screen."""

    name: str
    colour: str
    state: str = ""
    latency_ms: float | None = None
    held: dict[int, Stroke] = field(default_factory=dict)
    finished: deque[Stroke] = field(default_factory=deque)

    def strokes(self) -> Iterator[Stroke]:
        yield from self.finished
        yield from self.held.values()

    def release(self, pitch: int, seconds: float) -> None:
        stroke = self.held.pop(pitch, None)
        if stroke is not None:
            self.finished.append(Stroke(pitch, stroke.velocity, stroke.start_seconds, seconds))

    def forget_before(self, seconds: float) -> None:
        while self.finished and (self.finished[0].end_seconds or 0.0) < seconds:
            self.finished.popleft()


class Screen:
    """A live piano roll, a lane for the player and one for each voice; the caller refreshes it 15 times a second.

    Where output is not a terminal, answers and reports come out as plain lines and nothing else does.
    """

    def __init__(
        self,
        preset: str,
        voices: Sequence[str],
        *,
        bpm: float = 120.0,
        signature: TimeSignature | None = None,
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
        console: Console | None = None,
    ) -> None:
        """`voices`: up to four names, in the order of the preset. `inputs`, `outputs`: names of ports."""
        self._console = console or Console()
        self._live: Live | None = None
        self._timeline = Timeline(bpm, signature)
        self._towards_bpm: float | None = None
        self._inputs, self._outputs = tuple(inputs), tuple(outputs)
        self._now = 0.0
        self._lowest, self._highest = 48, 79
        self._latencies: deque[float] = deque(maxlen=_LATENCIES)
        self._reports: deque[tuple[float, str]] = deque(maxlen=_REPORTS)
        self.select(preset, voices)

    def __enter__(self) -> Self:
        if _can_draw(self._console):
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def select(self, preset: str, voices: Sequence[str]) -> None:
        """Show another preset, with empty lanes."""
        self._preset = preset
        names = ("you", *voices)
        self._lanes = [_Lane(name, COLOURS[index % len(COLOURS)]) for index, name in enumerate(names)]

    def ports(self, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """Name the ports that are open now."""
        self._inputs, self._outputs = tuple(inputs), tuple(outputs)

    def tempo(self, bpm: float, seconds: float, towards_bpm: float | None = None) -> None:
        """The tempo from `seconds` on, in quarter notes a minute. `towards_bpm`: what is shown, if it is on its way."""
        self._towards_bpm = towards_bpm
        if bpm == self._timeline.bpm:
            return
        self._timeline.set_tempo(bpm, max(self._timeline.ticks_at(seconds), self._timeline.changes[-1].ticks))

    def skip_to(self, ticks: int, seconds: float) -> None:
        """The music goes on at `ticks` from `seconds` on, without what lies between."""
        now_ticks = max(self._timeline.ticks_at(seconds), self._timeline.changes[-1].ticks)
        self._timeline.jump(now_ticks, max(now_ticks, ticks))

    def note_on(self, part: int, pitch: int, velocity: int, seconds: float) -> None:
        """A note begins. `part`: 0 for the player, then the voices from 1."""
        played = self._lanes[part]
        played.release(pitch, seconds)
        played.held[pitch] = Stroke(pitch, velocity, seconds)
        self._lowest, self._highest = min(self._lowest, pitch), max(self._highest, pitch)

    def note_off(self, part: int, pitch: int, seconds: float) -> None:
        """A note ends; nothing happens if it does not sound."""
        self._lanes[part].release(pitch, seconds)

    def answered(self, voice: int, latency_ms: float) -> None:
        """Voice `voice`, from 0, sent the first note of an answer `latency_ms` after the hand-over."""
        self._latencies.append(latency_ms)
        answering = self._lanes[voice + 1]
        answering.latency_ms = latency_ms
        if self._live is None:
            self._print(f"{answering.name} answered in {latency_ms:.1f} ms ({self._percentiles()})")

    def state(self, voice: int, text: str) -> None:
        """What voice `voice`, from 0, is doing: listening, answering, waiting …"""
        self._lanes[voice + 1].state = text

    def report(self, text: str) -> None:
        """Something happened that a person should know of."""
        text = " ".join(text.split())  # One line of the frame, whatever an exception had to say.
        self._reports.append((self._now, text))
        if self._live is None:
            self._print(text)

    def say(self, text: str) -> None:
        """Print a line as it is, above what is drawn; it stays there."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def refresh(self, now_seconds: float) -> None:
        """Draw what is known at `now_seconds`."""
        self._now = now_seconds
        for played in self._lanes:
            played.forget_before(now_seconds - _WINDOW_SECONDS)
        if self._live is not None:
            self._live.update(Group(*self._frame()), refresh=True)

    def _print(self, text: str) -> None:
        self._console.print(f"{self._now:7.2f} s  {text}", markup=False, highlight=False, soft_wrap=True)

    def _frame(self) -> Iterator[Text | Segments]:
        columns, height = self._console.size
        moment = self._timeline.moment(self._now)
        signature = self._timeline.signature
        beat = moment.ticks % signature.bar_ticks // signature.beat_ticks
        yield _spread(
            columns,
            Text.assemble(("Antiphon", "bold"), f" · {self._preset}"),
            Text(f"♩ = {self._towards_bpm or moment.bpm:.4g}   {signature}   {moment.bar + 1:>3}:{beat + 1}"),
        )
        ports = f"in {_listed(self._inputs)}   out {_listed(self._outputs)}"
        yield _spread(columns, Text(ports, "dim"), Text(self._percentiles(), "dim"))
        # A line each for two headings and every lane's title, one a report, one for the cursor.
        spare = height - 3 - len(self._lanes) - _REPORTS
        rows = min(_MOST_LANE_ROWS, max(2, spare // len(self._lanes)))
        bars = list(self._bars())
        for played in self._lanes:
            yield _spread(columns, _title(played), Text(self._activity(played), "dim"))
            lines = lane(
                played.strokes(),
                self._now,
                columns=columns,
                rows=rows,
                window_seconds=_WINDOW_SECONDS,
                pitches=(self._lowest, self._highest),
                colour=played.colour,
                bars=bars,
            )
            for line in lines:
                yield Segments([*line, Segment.line()])
        for seconds, text in self._reports:
            yield Text(f"{seconds:7.2f} s  {text}", no_wrap=True, overflow="ellipsis")
        for _ in range(_REPORTS - len(self._reports)):
            yield Text()

    def _bars(self) -> Iterator[float]:
        """Seconds at which the bars on screen begin."""
        bar_ticks = self._timeline.signature.bar_ticks
        first = -(-self._timeline.ticks_at(max(0.0, self._now - _WINDOW_SECONDS)) // bar_ticks)
        for bar in range(first, self._timeline.moment(self._now).bar + 1):
            yield self._timeline.seconds_at(bar * bar_ticks)

    def _activity(self, played: _Lane) -> str:
        recent = sum(stroke.start_seconds > self._now - 1 for stroke in played.strokes())
        return f"{recent} notes/s"

    def _percentiles(self) -> str:
        if not self._latencies:
            return "no answer yet"
        ordered = sorted(self._latencies)
        p50, p95 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95))
        return f"answers {len(ordered)}   p50 {p50:.1f} ms   p95 {p95:.1f} ms"


def _can_draw(console: Console) -> bool:
    """Whether there is a terminal that can move its cursor and show half blocks."""
    return console.is_terminal and not console.is_dumb_terminal and console.encoding.startswith("utf")


def _title(played: _Lane) -> Text:
    title = Text.assemble(("● ", played.colour), (played.name, "bold"))
    if played.state:
        title.append(f"  {played.state}")
    if played.latency_ms is not None:
        title.append(f"  {played.latency_ms:.1f} ms", "green")
    return title


def _listed(ports: Sequence[str]) -> str:
    return ", ".join(ports) or "none"


def _spread(columns: int, left: Text, right: Text) -> Text:
    """One line: `left` at the left edge, cut off where `right`, at the right edge, begins."""
    room = max(0, columns - right.cell_len - 1)
    left.truncate(room, overflow="ellipsis", pad=True)
    return Text.assemble(left, " ", right, no_wrap=True, overflow="crop")
