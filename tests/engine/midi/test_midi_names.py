"""Which port a name means, and which ports are keyboards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import AntiphonError
from antiphon.midi.port_names import auto_inputs, composed, match_port, numbered

PORTS = ["nanoKEY2:nanoKEY2 CTRL 20:0", "Keystation 49:Keystation MIDI 1 24:0", "Keystation 49:Keystation MIDI 2 24:1"]


def test_an_exact_name_wins_over_longer_ones_that_contain_it() -> None:
    assert match_port("piano", ["my piano", "piano", "piano 2"], "input") == "piano"


def test_a_part_of_one_name_is_enough_whatever_the_case() -> None:
    assert match_port("NANOkey", PORTS, "input") == PORTS[0]


def test_a_part_of_several_names_is_refused_with_just_those() -> None:
    with pytest.raises(AntiphonError, match="matches 2 ports") as refusal:
        match_port("keystation", PORTS, "input")
    assert PORTS[1] in str(refusal.value)
    assert PORTS[2] in str(refusal.value)
    assert PORTS[0] not in str(refusal.value)


def test_no_match_names_the_nearest_and_lists_all() -> None:
    with pytest.raises(AntiphonError, match=r"MIDI output 'synht' matches no port; did you mean 'synth'\?") as refusal:
        match_port("synht", ["synth", "drums"], "output")
    assert "drums" in str(refusal.value)


TWINS = ["Keys", "Pads", "Keys#2", "Keys#3"]


def test_ports_that_look_alike_are_numbered() -> None:
    assert numbered(["Keys", "Pads", "Keys", "Keys"]) == TWINS
    assert numbered(["Keys#2", "Keys", "Keys"]) == ["Keys#2", "Keys", "Keys#3"]
    assert numbered(["Caf\u00e9", "Cafe\u0301"]) == ["Caf\u00e9", "Cafe\u0301#2"]


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [("Keys", "Keys"), ("keys#2", "Keys#2"), ("Keys#1", "Keys"), ("ey#3", "Keys#3"), ("KEYS", "Keys"), ("pad", "Pads")],
)
def test_a_number_tells_ports_of_one_name_apart(wanted: str, meant: str) -> None:
    assert match_port(wanted, TWINS, "input") == meant


@pytest.mark.parametrize("wanted", ["Keys#4", "Keys#0", "P#2", "Other#2"])
def test_a_number_that_no_port_has_is_refused(wanted: str) -> None:
    with pytest.raises(AntiphonError, match="matches no port"):
        match_port(wanted, [*TWINS, "Piano"], "input")


def test_a_number_never_stands_for_another_port_of_whose_name_it_is_a_part() -> None:
    with pytest.raises(AntiphonError, match="matches no port"):
        match_port("Keys#2", ["Keys", "My Keys"], "input")


def test_a_part_of_names_that_look_alike_says_how_to_choose() -> None:
    with pytest.raises(AntiphonError, match=r"matches 3 ports; write more of the name, or 'key#2' for the second"):
        match_port("key", TWINS, "input")


COMPOSED, DECOMPOSED = "Cl\u00e9 de Sol", "Cle\u0301 de Sol"


@pytest.mark.parametrize("there", [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize(
    "wanted", [COMPOSED, DECOMPOSED, "CL\u00c9", "e\u0301 de", "Cl? de Sol", "cle? de", "Cl\udce9"]
)
def test_a_name_is_found_however_its_letters_are_put_together_or_printed(wanted: str, there: str) -> None:
    if wanted == "cle? de":  # This is how a decomposed one is printed.
        there = DECOMPOSED
    elif "?" in wanted:
        there = COMPOSED
    assert match_port(composed(wanted), [there, "Key of G"], "input") == there


def test_names_that_a_terminal_cannot_show_are_told_apart_by_number() -> None:
    names = ["ピアノ", "オルガ", "Clavinet?"]
    assert [match_port(wanted, names, "input") for wanted in ("???#1", "???#2", "net?")] == [*names[:2], "Clavinet?"]
    with pytest.raises(AntiphonError, match=r"'\?\?\?' matches 2 ports; .*'\?\?\?#2' for the second"):
        match_port("???", names, "input")


@given(st.lists(st.text("aA?#2é\u0301ピ", min_size=1, max_size=4), min_size=1, max_size=6))
def test_every_port_is_selected_by_the_name_that_it_is_listed_under(names: list[str]) -> None:
    listed = numbered(names)
    assert len({composed(name) for name in listed}) == len(names)
    assert [match_port(name, listed, "input") for name in listed] == listed


def test_no_ports_at_all_is_said_plainly() -> None:
    with pytest.raises(AntiphonError, match="no MIDI inputs at all"):
        match_port("piano", [], "input")


@pytest.mark.parametrize(
    "name",
    [
        "Midi Through:Midi Through Port-0 14:0",
        "a2j:Midi Through [14] (capture): Midi Through Port-0",
        "Antiphon:out",
        "Antiphon-01:out",
        "Antiphon out",
        "System:Announce 0:1",
        "system:midi_playback_1",
        "ardour:physical_midi_input_monitor_enable",
        "ardour:MIDI Clock out",
        "jack_midi_clock:mclk_out",
        "FLUID Synth (1234):Synth input port (1234:0) 128:0",
        "Midi-Bridge:fluidsynth:midi_00",
    ],
)
def test_what_is_no_keyboard_is_never_taken(name: str) -> None:
    assert auto_inputs([name]) == []
    assert auto_inputs([name, "vmpk:out"]) == ["vmpk:out"]


@pytest.mark.parametrize(
    "keyboard",
    [
        "nanoKEY2:nanoKEY2 CTRL 20:0",
        "system:midi_capture_1",
        "alsa_pcm:nanoKEY2/midi_capture_1",
        "a2j:nanoKEY2 [20] (capture): nanoKEY2 MIDI 1",
    ],
)
def test_hardware_is_preferred_to_other_programs(keyboard: str) -> None:
    assert auto_inputs(["vmpk:out 128:0", keyboard]) == [keyboard]


def test_without_hardware_every_other_program_is_taken() -> None:
    assert auto_inputs(["vmpk:out 128:0", "keyboard:out"]) == ["vmpk:out 128:0", "keyboard:out"]


def test_all_keyboards_are_taken() -> None:
    assert auto_inputs(PORTS) == PORTS


def test_of_two_of_one_name_both_are_taken_or_none() -> None:
    assert auto_inputs(numbered(["Keys", "Keys", "a:midi_00", "a:midi_00"])) == ["Keys", "Keys#2"]
