"""The live screen, on a terminal and off it."""

import io

from rich.console import Console

from antiphon.terminal.screen import Screen


def terminal(*, width: int = 80, height: int = 24) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=True, width=width, height=height, color_system=None), out


def last_frame(out: io.StringIO) -> str:
    return out.getvalue().rpartition("\x1b[2K")[2]


def test_the_screen_names_all_there_is_to_know() -> None:
    console, out = terminal()
    with Screen(
        "trade", ["markov"], bpm=96.0, inputs=["KeyLab"], outputs=["Antiphon", "synth"], console=console
    ) as screen:
        screen.refresh(0.0)
        screen.note_on(0, 60, 80, 2.6)
        screen.note_on(1, 72, 80, 2.7)
        screen.note_on(1, 76, 80, 2.9)
        screen.answered(0, 2.34)
        screen.state(0, "answering")
        screen.report("player restarted:\n it hung")
        screen.refresh(3.2)
        frame = last_frame(out)
    for expected in (
        "Antiphon · trade",
        "♩ = 96   4/4     2:2",
        "in KeyLab   out Antiphon, synth",
        "answers 1   p50 2.3 ms   p95 2.3 ms",
        "● you ",
        "● markov  answering  2.3 ms",
        "1 notes/s",
        "2 notes/s",
        "0.00 s  player restarted: it hung",
    ):
        assert expected in frame
    lines = frame.splitlines()
    assert len(lines) <= 24
    assert max(len(line) for line in lines) <= 80


def test_notes_pass_to_the_left_and_out() -> None:
    console, out = terminal()
    with Screen("answer", ["markov"], console=console) as screen:
        screen.refresh(0.0)
        screen.note_on(0, 60, 80, 1.0)
        screen.note_off(0, 60, 2.0)
        screen.note_off(0, 61, 2.0)
        columns = []
        for now in (3.0, 5.0, 11.0):
            screen.refresh(now)
            columns.append(max(max(line.find("▀"), line.find("▄")) for line in last_frame(out).splitlines()))
    first, second, third = columns
    assert first > second > 0
    assert third == -1


def test_percentiles_are_those_of_all_answers_so_far() -> None:
    console, out = terminal()
    with Screen("answer", ["a", "b"], console=console) as screen:
        screen.refresh(0.0)
        for latency in range(1, 101):
            screen.answered(latency % 2, float(latency))
        screen.refresh(1.0)
    assert "answers 100   p50 51.0 ms   p95 96.0 ms" in out.getvalue()


def test_four_voices_and_the_player_fit_into_a_terminal() -> None:
    console, out = terminal(height=40)
    with Screen("choir", ["a", "b", "c", "d"], console=console) as screen:
        screen.refresh(0.0)
        screen.report("all here")
        screen.refresh(1.0)
        frame = last_frame(out)
    assert "● d" in frame
    assert "all here" in frame
    assert len(frame.splitlines()) <= 40


def test_another_preset_brings_its_own_lanes_and_ports_change() -> None:
    console, out = terminal()
    with Screen("answer", ["markov"], inputs=["KeyLab"], console=console) as screen:
        screen.refresh(0.0)
        screen.note_on(0, 60, 80, 0.5)
        screen.select("duo", ["lstm", "vae"])
        screen.ports([], ["synth"])
        screen.tempo(60.0, 4.0)
        screen.tempo(60.0, 5.0)
        screen.refresh(8.0)
        frame = last_frame(out)
    for expected in ("Antiphon · duo", "● lstm", "● vae", "in none   out synth", "♩ = 60   4/4     4:1"):
        assert expected in frame
    assert "markov" not in frame


def test_the_scale_widens_for_notes_beyond_it() -> None:
    console, out = terminal(height=30)
    with Screen("answer", ["markov"], console=console) as screen:
        screen.refresh(0.0)
        for pitch in (0, 127):
            screen.note_on(0, pitch, 80, 0.5)
        screen.refresh(1.0)
        lanes = [line for line in last_frame(out).splitlines() if "▀" in line or "▄" in line]
    assert len(lanes) == 2


def test_off_the_terminal_only_answers_and_reports_come_out_as_plain_lines() -> None:
    out = io.StringIO()
    with Screen("answer", ["markov"], console=Console(file=out, width=40)) as screen:
        screen.refresh(1.5)
        screen.note_on(0, 60, 80, 1.5)
        screen.state(0, "answering")
        screen.answered(0, 2.0)
        screen.refresh(3.0)
        screen.report("keyboard [KeyLab] gone; playing on, waiting for it to come back")
    assert out.getvalue().splitlines() == [
        "   1.50 s  markov answered in 2.0 ms (answers 1   p50 2.0 ms   p95 2.0 ms)",
        "   3.00 s  keyboard [KeyLab] gone; playing on, waiting for it to come back",
    ]


def test_a_terminal_that_cannot_show_half_blocks_gets_plain_lines() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="cp1252")
    with Screen("answer", ["markov"], console=Console(file=out, force_terminal=True, color_system=None)) as screen:
        screen.refresh(1.0)
        screen.report("still here")
    out.flush()
    assert raw.getvalue().decode("cp1252").splitlines() == ["   1.00 s  still here"]


def test_the_bar_shown_follows_the_tempo_and_skips_with_the_song() -> None:
    console, out = terminal()
    with Screen("trade", ["markov"], bpm=120.0, console=console) as screen:
        screen.tempo(60.0, 1.0)
        screen.refresh(2.5)
        assert "♩ = 60   4/4     1:4" in last_frame(out)
        screen.skip_to(3840, 2.5)
        screen.refresh(3.6)
        assert "♩ = 60   4/4     3:2" in last_frame(out)


def test_while_taps_nudge_the_beat_the_tempo_that_is_meant_is_shown() -> None:
    console, out = terminal()
    with Screen("trade", ["markov"], bpm=120.0, console=console) as screen:
        screen.tempo(113.0, 1.0, 100.0)
        screen.refresh(1.5)
        assert "♩ = 100   4/4" in last_frame(out)
        screen.tempo(100.0, 2.0)
        screen.refresh(2.5)
        assert "♩ = 100   4/4" in last_frame(out)
