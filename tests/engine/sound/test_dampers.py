from antiphon.sound.dampers import Dampers


def test_a_lifted_key_falls_silent() -> None:
    dampers = Dampers()
    dampers.press(60)
    assert dampers.lift(60) == [60]
    assert dampers.lift(60) == []


def test_sustain_holds_every_key_until_it_is_lifted() -> None:
    dampers = Dampers()
    dampers.press(64)
    assert dampers.sustain(True) == []
    dampers.press(60)
    dampers.press(67)
    assert dampers.lift(64) == dampers.lift(60) == []
    assert dampers.sustain(False) == [60, 64]
    assert dampers.lift(67) == [67]


def test_sostenuto_holds_only_the_keys_that_were_down() -> None:
    dampers = Dampers()
    dampers.press(48)
    dampers.sostenuto(True)
    dampers.press(60)
    # A second press of a pedal that is down already captures nothing more.
    dampers.sostenuto(True)
    assert dampers.lift(60) == [60]
    assert dampers.lift(48) == []
    assert dampers.sostenuto(False) == [48]


def test_lifting_all_keys_leaves_those_that_a_pedal_holds() -> None:
    dampers = Dampers()
    dampers.press(48)
    dampers.sostenuto(True)
    dampers.press(60)
    assert dampers.lift_all() == [60]
    assert dampers.sostenuto(False) == [48]


def test_freeing_lifts_both_pedals() -> None:
    dampers = Dampers()
    dampers.press(48)
    dampers.sostenuto(True)
    dampers.sustain(True)
    dampers.press(60)
    dampers.press(64)
    dampers.lift(48)
    dampers.lift(60)
    assert dampers.free() == [48, 60]


def test_after_silence_nothing_is_left_to_fall() -> None:
    dampers = Dampers()
    dampers.press(48)
    dampers.sustain(True)
    dampers.silence()
    assert dampers.sustain(False) == []
