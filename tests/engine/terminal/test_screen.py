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
        screen.state(1, "answering")
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
        screen.state(1, "answering")
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


def test_the_keys_are_always_in_reach_and_told_when_asked_for() -> None:
    console, out = terminal()
    with Screen("answer", ["markov"], console=console) as screen:
        screen.keys("keys: ? help, p panic, q quit", ["p  panic: everything falls silent", "q  the end"])
        screen.report("all here")
        screen.refresh(0.0)
        plain = last_frame(out)
        screen.toggle_help()
        screen.refresh(0.1)
        asked = last_frame(out)
        screen.toggle_help()
        screen.refresh(0.2)
        again = last_frame(out)
    for frame in (plain, asked, again):
        assert "keys: ? help, p panic, q quit" in frame
        assert len(frame.splitlines()) <= 24
    assert "everything falls silent" in asked
    assert "everything falls silent" not in plain + again
    assert "all here" in plain
    assert "all here" in again


def test_what_a_knob_did_is_shown_for_a_while_and_the_next_takes_its_place() -> None:
    console, out = terminal()
    with Screen("answer", ["markov"], console=console) as screen:
        screen.refresh(1.0)
        screen.turned(1, "temperature 1.30, mod wheel")
        screen.refresh(2.0)
        assert "temperature 1.30, mod wheel" in last_frame(out)
        screen.turned(21, "cc 21 does nothing here")
        screen.refresh(2.1)
        assert "cc 21 does nothing here" in last_frame(out)
        assert "temperature" not in last_frame(out)
        screen.refresh(7.0)
        assert "cc 21" not in last_frame(out)


def test_off_the_terminal_a_knob_is_told_of_once_when_it_rests_or_another_moves() -> None:
    out = io.StringIO()
    with Screen("answer", ["markov"], console=Console(file=out, width=40)) as screen:
        for step in range(10):
            screen.turned(1, f"temperature {step / 10:.2f}, mod wheel")
            screen.refresh(step / 10)
        screen.turned(21, "cc 21 does nothing here")
        screen.refresh(1.0)
        screen.refresh(1.5)
        screen.refresh(9.0)
    assert [line[11:] for line in out.getvalue().splitlines()] == [
        "temperature 0.90, mod wheel",
        "cc 21 does nothing here",
    ]


def test_a_setlist_is_shown_by_name_with_what_plays_and_what_comes_next() -> None:
    console, out = terminal()
    with Screen("answer", ["markov"], console=console) as screen:
        screen.setlist(["answer", "trade", "continue"], 0)
        screen.refresh(0.0)
        assert "1 answer   2 trade   3 continue   next: trade" in last_frame(out)
        screen.setlist(["answer", "trade", "continue"], 0, "continue on the bar")
        screen.refresh(0.1)
        assert "1 answer   2 trade   3 continue   next: continue on the bar" in last_frame(out)
        screen.setlist(["answer", "trade", "continue"], 2)
        screen.refresh(0.2)
        assert "3 continue   next: answer" in last_frame(out)


def test_the_bar_is_the_song_s_where_there_is_one() -> None:
    console, out = terminal()
    with Screen("trade", ["markov"], bpm=120.0, console=console) as screen:
        screen.locate(16 * 1920 - 960)
        screen.refresh(2.5)
        assert "song  17:4" in last_frame(out)
        screen.locate(-9600)
        screen.refresh(2.5)
        assert "4/4     2:2" in last_frame(out), "before the song begins the bars are the session's"
        screen.locate(None)
        screen.refresh(2.6)
        assert "song" not in last_frame(out)


def test_nothing_is_cut_at_80_columns() -> None:
    console, out = terminal(height=40)
    name = "a long evening of slow songs at the Bell in the High Street"
    ports = [f"Launchkey Mini MK3 number {i}" for i in range(4)]
    voices = ["markov A0 to B3", "grid-transformer C4 to C8"]
    with Screen(name, voices, inputs=ports, outputs=["Antiphon:out", "synth"], console=console) as screen:
        screen.setlist([f"{name} {i}" for i in range(3)], 1, "the third on the bar")
        screen.keys("keys: ? help, p panic, t tap tempo, m click, 1-9 preset, n next, q quit", ())
        screen.state(2, "waiting: C4, E4, G4 and 3 more are down")
        screen.answered(1, 12.3)
        screen.report(f"MIDI system jack; listening to {', '.join(ports)}, and to whatever comes")
        screen.refresh(1.0)
        frame = last_frame(out)
    words = frame.split()
    for text in (*ports, name, "grid-transformer", "the third on the bar", "and 3 more are down", "whatever comes"):
        assert text in " ".join(words), text
    assert "…" not in frame
    assert max(len(line) for line in frame.splitlines()) <= 80
    assert len(frame.splitlines()) <= 40


def test_what_a_stalled_machine_added_is_told_apart_from_the_answer_s_own() -> None:
    console, out = terminal()
    with Screen("answer", ["markov"], console=console) as screen:
        screen.answered(0, 2.0, 250.0)
        screen.refresh(1.0)
        assert "answers 1   p50 2.0 ms   p95 2.0 ms   stalls 1" in last_frame(out)
        assert "● markov  2.0 ms" in last_frame(out)
    plain = io.StringIO()
    with Screen("answer", ["markov"], console=Console(file=plain, width=40)) as screen:
        screen.answered(0, 2.0, 250.0)
    assert "markov answered in 2.0 ms, and left 250.0 ms later, as the machine stalled (answers 1" in plain.getvalue()
