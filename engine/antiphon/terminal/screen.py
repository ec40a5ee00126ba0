"""What `antiphon jam` and `antiphon demo` show while music plays. It is told everything and asks nobody."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.segment import Segment, Segments
from rich.text import Text

from antiphon.music.timing import Timeline, TimeSignature
from antiphon.printable import printable, printable_lines
from antiphon.session.pianoroll import COLOURS, Stroke, lane

_WINDOW_SECONDS: Final = 8.0
_REPORTS: Final = 4
"""Lines of the screen that are kept for reports."""
_LONGEST_REPORT: Final = 500
"""Characters."""
_TURNED_SECONDS: Final = 4.0
"""How long it is shown what a knob did."""
_RESTING_SECONDS: Final = 0.5
"""Where there are only lines, a knob is told of when it has rested for so long."""
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
        may_draw: Callable[[], bool] = lambda: True,
    ) -> None:
        """`voices`: up to four names, in the order of the preset. `inputs`, `outputs`: names of ports.

        `may_draw`: whether the console has taken what was drawn before.
        """
        self._console = console or Console()
        self._may_draw = may_draw
        self._live: Live | None = None
        self._timeline = Timeline(bpm, signature)
        self._towards_bpm: float | None = None
        self.ports(inputs, outputs)
        self._now = 0.0
        self._lowest, self._highest = 48, 79
        self._latencies: deque[float] = deque(maxlen=_LATENCIES)
        self._stalls = 0
        self._reports: deque[tuple[float, str]] = deque(maxlen=_REPORTS)
        self._setlist: Text | None = None
        self._song_ahead_ticks: float | None = None
        self._turned: tuple[float, int, str] | None = None
        self._told_turn = False
        self._legend = ""
        self._help: tuple[str, ...] = ()
        self._shows_help = False
        self.select(preset, voices)

    def __enter__(self) -> Self:
        self.resume()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.pause()

    def resume(self) -> None:
        """Draw from now on, if there is a terminal."""
        if self._live is None and _can_draw(self._console):
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()

    def pause(self) -> None:
        """Leave the terminal to others."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def select(self, preset: str, voices: Sequence[str], signature: TimeSignature | None = None) -> None:
        """Show another preset, with empty lanes, and its time signature, if that is another."""
        self._preset = printable(preset)
        self._timeline.signature = signature or self._timeline.signature
        names = ("you", *voices)
        self._lanes = [_Lane(printable(name), COLOURS[index % len(COLOURS)]) for index, name in enumerate(names)]

    def setlist(self, presets: Sequence[str], playing: int, coming: str = "") -> None:
        """Show the names of a setlist, the one that plays by its number from 0, and what was chosen to come, if any."""
        coming, presets = printable(coming), [*map(printable, presets)]
        words = [f"{number} {name}" for number, name in enumerate(presets, start=1)]
        after = presets[(playing + 1) % len(presets)]
        line = Text("   ").join(Text(word, "bold" if i == playing else "dim") for i, word in enumerate(words))
        line.stylize("reverse", *_span(words, playing))
        line.append(f"   next: {coming or after}", "green" if coming else "dim")
        self._setlist = line
        if coming and self._live is None:
            self._print(f"next: {coming}")

    def keys(self, legend: str, help_lines: Sequence[str]) -> None:
        """What can be pressed: in one line, always there, and in several, when asked for."""
        self._legend, self._help = printable(legend), tuple(map(printable, help_lines))

    def toggle_help(self) -> None:
        """Show what each key does, in place of the reports, or the reports again."""
        self._shows_help = not self._shows_help

    def locate(self, ahead_ticks: float | None) -> None:
        """The song that is followed or led is so many ticks ahead of the session; None: there is none."""
        self._song_ahead_ticks = ahead_ticks

    def turned(self, knob: int, text: str) -> None:
        """The controller of this number moved, and `text` says what came of it; the next such text takes its place."""
        if self._turned is not None and self._turned[1] != knob:
            self._tell_turn()
        self._turned, self._told_turn = (self._now, knob, printable(text)), False

    def ports(self, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """Name the ports that are open now."""
        self._inputs, self._outputs = tuple(map(printable, inputs)), tuple(map(printable, outputs))

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

    def answered(self, voice: int, latency_ms: float, stalled_ms: float = 0.0) -> None:
        """Voice `voice`, from 0, had the first note of an answer ready `latency_ms` after the hand-over.

        `stalled_ms`: how much later it left because the machine stalled, which is not the answer's own.
        """
        self._latencies.append(latency_ms)
        self._stalls += stalled_ms > 0
        answering = self._lanes[voice + 1]
        answering.latency_ms = latency_ms
        if self._live is None:
            stalled = f", and left {stalled_ms:.1f} ms later, as the machine stalled" if stalled_ms else ""
            self._print(f"{answering.name} answered in {latency_ms:.1f} ms{stalled} ({self._percentiles()})")

    def state(self, part: int, text: str) -> None:
        """What a part is doing, 0 for the player, then the voices from 1: listening, answering, waiting …"""
        self._lanes[part].state = printable(text)

    def report(self, text: str) -> None:
        """Something happened that a person should know of."""
        # One line of the frame, whatever an exception had to say.
        text = printable(" ".join(text[:_LONGEST_REPORT].split()), _LONGEST_REPORT)
        self._reports.append((self._now, text))
        if self._live is None:
            self._print(text)

    def say(self, text: str) -> None:
        """Print a line as it is, above what is drawn; it stays there."""
        self._console.print(printable_lines(text), markup=False, highlight=False, soft_wrap=True)

    def refresh(self, now_seconds: float) -> None:
        """Draw what is known at `now_seconds`."""
        self._now = now_seconds
        if self._turned is not None and now_seconds >= self._turned[0] + _RESTING_SECONDS:
            self._tell_turn()
        for played in self._lanes:
            played.forget_before(now_seconds - _WINDOW_SECONDS)
        if self._live is not None and self._may_draw():
            self._live.update(Group(*self._frame()), refresh=True)

    def _tell_turn(self) -> None:
        """Where there are only lines: what a knob did, once."""
        if self._live is None and self._turned is not None and not self._told_turn:
            self._print(self._turned[2])
        self._told_turn = True

    def _print(self, text: str) -> None:
        self._console.print(f"{self._now:7.2f} s  {text}", markup=False, highlight=False, soft_wrap=True)

    def _frame(self) -> Iterator[Text | Segments]:
        columns, height = self._console.size
        head = list(self._head(columns))
        titles = [self._spread(columns, _title(lane), Text(self._activity(lane), "dim")) for lane in self._lanes]
        foot = list(self._foot(columns))
        # What lanes and reports have to share; a line is the cursor's.
        free = height - 1 - len(head) - len(foot) - sum(map(len, titles))
        room = max(1, min(max(_REPORTS, len(self._help) if self._shows_help else 0), free - 2 * len(titles)))
        rows = min(_MOST_LANE_ROWS, max(1, (free - room) // len(titles)))
        yield from head
        bars = list(self._bars())
        for played, title in zip(self._lanes, titles, strict=True):
            yield from title
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
        told = self._told(columns, room)
        yield from told
        for _ in range(room - len(told)):
            yield Text()
        yield from foot

    def _head(self, columns: int) -> Iterator[Text]:
        moment = self._timeline.moment(self._now)
        signature = self._timeline.signature
        ahead = self._song_ahead_ticks
        ticks = moment.ticks if ahead is None or moment.ticks + ahead < 0 else round(moment.ticks + ahead)
        bar, into = divmod(ticks, signature.bar_ticks)
        whose = "   song " if ahead is not None and moment.ticks + ahead >= 0 else "   "
        place = f"{signature}{whose}{bar + 1:>3}:{into // signature.beat_ticks + 1}"
        yield from self._spread(
            columns,
            Text.assemble(("Antiphon", "bold"), f" · {self._preset}"),
            Text(f"♩ = {self._towards_bpm or moment.bpm:.4g}   {place}"),
        )
        if self._setlist is not None:
            yield from self._setlist.wrap(self._console, columns)
        ports = f"in {_listed(self._inputs)}   out {_listed(self._outputs)}"
        yield from self._spread(columns, Text(ports, "dim"), Text(self._percentiles(), "dim"))

    def _told(self, columns: int, room: int) -> list[Text]:
        """The lines that the latest reports fill, as many as there is room for, each whole; or those about the keys."""
        if self._shows_help:
            return [line for text in self._help for line in Text(text).wrap(self._console, columns)][:room]
        told: list[Text] = []
        for seconds, text in reversed(self._reports):
            lines = [*Text(f"{seconds:7.2f} s  {text}").wrap(self._console, columns)]
            if len(told) + len(lines) > room:
                return told or lines[:room]
            told = [*lines, *told]
        return told

    def _foot(self, columns: int) -> Iterator[Text]:
        """What a knob did, and the keys."""
        turned = self._turned
        shown = turned is not None and self._now < turned[0] + _TURNED_SECONDS
        yield from Text(turned[2] if turned is not None and shown else " ", "cyan").wrap(self._console, columns)
        yield from Text(self._legend or " ", "dim").wrap(self._console, columns)

    def _spread(self, columns: int, left: Text, right: Text) -> list[Text]:
        """`left` at the left edge and `right` at the right one; below one another where a line has no room for both."""
        if left.cell_len + 1 + right.cell_len <= columns:
            return [Text.assemble(left, " " * (columns - left.cell_len - right.cell_len), right)]
        return [*left.wrap(self._console, columns), *right.wrap(self._console, columns)]

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
        stalls = f"   stalls {self._stalls}" if self._stalls else ""
        return f"answers {len(ordered)}   p50 {p50:.1f} ms   p95 {p95:.1f} ms{stalls}"


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


def _span(words: Sequence[str], index: int) -> tuple[int, int]:
    """Where one of these words, three spaces apart, stands in the line."""
    start = sum(len(word) + 3 for word in words[:index])
    return start, start + len(words[index])
