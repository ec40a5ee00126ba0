"""Which port a name means, and which ports are keyboards."""

from __future__ import annotations

import pytest

from antiphon.errors import AntiphonError
from antiphon.midi.port_names import auto_inputs, match_port

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
