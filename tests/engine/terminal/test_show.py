"""What becomes of a performance's records on screen: knobs, setlist, panic, stalls, whose bar it is."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from antiphon.duet.commands import Decision
from antiphon.duet.events import Chosen, Ended, Event, Heard, Located, Restarted, Selected
from antiphon.duet.plan import ControllerMapping, Handover, Plan, VoicePlan
from antiphon.duet.schedule import PLAYER, Send
from antiphon.music import messages
from antiphon.music.timing import TimeSignature
from antiphon.processes.supervisor import Notice
from antiphon.session.journal import Record
from antiphon.terminal.screen import Screen
from antiphon.terminal.show import Show, lane_names

VOICE = VoicePlan("markov", controls={"temperature": 1.0}, handover=Handover(by="trigger", trigger_cc=20))
KNOBS = (
    ControllerMapping(1, 0, "temperature", 0.6, 1.3),
    ControllerMapping(22, 0, "range_low", 0, 127),
    ControllerMapping(23, 0, "scale", values=("auto", "C minor")),
)


class Stage:
    """A show on a terminal of its own."""

    def __init__(self, *plans: Plan, height: int = 30) -> None:
        self.out = io.StringIO()
        console = Console(file=self.out, force_terminal=True, width=80, height=height, color_system=None)
        self.screen = Screen(plans[0].name, lane_names(plans[0]), bpm=plans[0].tempo_bpm, console=console)
        self.screen.__enter__()
        self.show = Show(plans, self.screen)

    def frame(self, *events: Event | Send, at: float = 1.0, late_seconds: float | None = None) -> str:
        self.show.records([Record(event, late_seconds) for event in events])
        self.screen.refresh(at)
        return self.out.getvalue().rpartition("\x1b[2K")[2]


def knob(number: int, value: int) -> Heard:
    return Heard(100, messages.control_change(0, number, value))


@pytest.mark.parametrize(
    ("number", "value", "told"),
    [
        (1, 127, "temperature 1.30, mod wheel"),
        (22, 60, "range_low C4, cc 22"),
        (23, 127, "scale C minor, cc 23"),
        (21, 5, "cc 21 does nothing here; it is passed on"),
        (7, 5, "cc 7 (volume) does nothing here; it is passed on"),
    ],
)
def test_a_knob_that_moves_says_what_it_turns_or_that_it_turns_nothing(number: int, value: int, told: str) -> None:
    stage = Stage(Plan("answer", (VOICE,), controllers=KNOBS))
    assert told in stage.frame(knob(number, value))


@pytest.mark.parametrize("number", [0, 20, 64, 66, 123])
def test_pedals_banks_signals_and_channel_modes_are_no_knobs(number: int) -> None:
    stage = Stage(Plan("answer", (VOICE,), controllers=KNOBS))
    assert "cc " not in stage.frame(knob(number, 127))


def test_a_knob_of_two_voices_says_which() -> None:
    both = (ControllerMapping(1, 0, "temperature", 0, 1), ControllerMapping(1, 1, "temperature", 0, 2))
    stage = Stage(Plan("duo", (VOICE, VOICE), controllers=both))
    assert "temperature of voice 1 1.00, temperature of voice 2 2.00, mod wheel" in stage.frame(knob(1, 127))


def test_panic_and_what_selects_nothing_are_told() -> None:
    stage = Stage(Plan("answer", (VOICE,)))
    assert "panic: everything is silent" in stage.frame(Ended(5, panic=True))
    frame = stage.frame(Decision("idle", 0, 5, "program 10 selects nothing: there are presets 1 to 3"))
    assert "program 10 selects nothing: there are presets 1 to 3" in frame


def test_a_setlist_says_what_plays_and_what_was_chosen() -> None:
    waltz = TimeSignature(3, 4)
    stage = Stage(Plan("slow", (VOICE,)), Plan("waltz", (VOICE,), switch="bar", signature=waltz), Plan("end", (VOICE,)))
    assert "1 slow   2 waltz   3 end   next: waltz" in stage.frame()
    assert "next: waltz on the bar" in stage.frame(Chosen(100, 1))
    frame = stage.frame(Selected(1920, 1), at=2.0)
    assert "next: end" in frame
    assert "Antiphon · waltz" in frame
    assert "3/4" in frame
    assert "Antiphon · end" in stage.frame(Restarted(4000, 2))


def test_the_bar_is_the_song_s_until_a_preset_without_one_is_chosen() -> None:
    stage = Stage(Plan("led", (VOICE,), sync="midi"), Plan("alone", (VOICE,)))
    assert "song   9:1" in stage.frame(Located(0, 8 * 1920.0 - 960), at=1.0)
    assert "song" not in stage.frame(Selected(1000, 1), at=1.1).splitlines()[0]


def test_what_the_machine_was_late_with_is_not_the_answer_s_own() -> None:
    stage = Stage(Plan("answer", (VOICE,)))
    stage.frame(Decision("handover", 0, 960, "by trigger"))
    frame = stage.frame(Send(0, messages.note_on(1, 72, 80), 964, 0), late_seconds=0.25)
    assert "p50 4.2 ms   p95 4.2 ms   stalls 1" in frame
    assert "the machine stalled: what was due then left 250 ms late" in frame
    before = stage.out.getvalue().count("the machine stalled")
    frame = stage.frame(Send(0, messages.note_on(0, 60, 80), 970, PLAYER), late_seconds=0.2)
    assert frame.count("the machine stalled") == 1, "it is one stall"
    assert before


def test_a_fallback_that_a_stall_led_to_is_excused_and_one_after_it_is_not() -> None:
    stage = Stage(Plan("answer", (VOICE,)))
    frame = stage.frame(
        Decision("stall", 0, 1440, "the machine stalled for 300 ms"),
        Decision("fallback", 0, 1300, "transformer: it is late; markov plays"),
    )
    assert "the machine stalled for 300 ms" in frame
    assert "transformer: it is late; markov plays; the machine had stalled" in frame
    frame = stage.frame(Decision("fallback", 0, 5000, "lstm: it is late; markov plays"), at=6.0)
    assert "lstm: it is late; markov plays\n" in "\n".join(line.rstrip() for line in frame.splitlines()) + "\n"


def test_an_answer_in_time_has_its_own_lateness() -> None:
    stage = Stage(Plan("answer", (VOICE,)))
    stage.frame(Decision("handover", 0, 960, "by trigger"))
    frame = stage.frame(Send(0, messages.note_on(1, 72, 80), 960, 0), late_seconds=0.003)
    assert "p50 3.0 ms" in frame
    assert "stall" not in frame


def test_doings_are_those_of_the_lanes() -> None:
    stage = Stage(Plan("answer", (VOICE,)))
    stage.show.notice(Notice("doings", "", doings=("your turn", "waiting: C4 is down", "one too many")))
    frame = stage.frame()
    assert "● you  your turn" in frame
    assert "● markov  waiting: C4 is down" in frame


def test_voices_of_one_generator_are_told_apart() -> None:
    low, high = VoicePlan("markov", input_low=21, input_high=59), VoicePlan("markov", input_low=60, input_high=108)
    assert lane_names(Plan(voices=(low, high))) == ["markov A0 to B3", "markov C4 to C8"]
    keys, pads = (VoicePlan("markov", inputs=frozenset({name})) for name in ("virtual:keys", "Pads"))
    assert lane_names(Plan(voices=(keys, pads, VoicePlan("vae")))) == ["markov on keys", "markov on Pads", "vae"]
    assert lane_names(Plan(voices=(VoicePlan(channel=1), VoicePlan(channel=2)))) == [
        "markov on channel 2",
        "markov on channel 3",
    ]
    assert lane_names(Plan(voices=(VoicePlan(), VoicePlan()))) == ["markov on channel 2 1", "markov on channel 2 2"]
