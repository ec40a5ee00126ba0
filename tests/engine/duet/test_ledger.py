"""What the ledger knows to be down."""

from hypothesis import given
from hypothesis import strategies as st

from antiphon.duet.ledger import Ledger, panic_messages
from antiphon.music import messages

DOWN, UP = messages.control_change(3, messages.SUSTAIN, 64), messages.control_change(3, messages.SUSTAIN, 63)


def test_a_note_is_down_until_its_note_off() -> None:
    ledger = Ledger(2)
    ledger.mark(1, messages.note_on(3, 60, 1))
    assert list(ledger.silencing()) == [(1, messages.note_off(3, 60))]
    ledger.mark(0, messages.note_off(3, 60))  # Another output: that one sounds on.
    assert list(ledger.silencing()) == [(1, messages.note_off(3, 60))]
    ledger.mark(1, messages.note_on(3, 60, 0))
    assert not list(ledger.silencing())


def test_pedals_are_down_from_64_and_come_up_after_the_notes() -> None:
    ledger = Ledger(1)
    ledger.mark(0, messages.control_change(15, messages.SOSTENUTO, 127))
    ledger.mark(0, DOWN)
    ledger.mark(0, messages.note_on(0, 127, 64))
    ledger.mark(0, messages.control_change(0, messages.SOFT, 127))
    ledger.mark(0, bytes((0xE0, 0, 64)))
    assert list(ledger.silencing()) == [
        (0, messages.note_off(0, 127)),
        (0, messages.control_change(3, messages.SUSTAIN, 0)),
        (0, messages.control_change(15, messages.SOSTENUTO, 0)),
    ]
    ledger.mark(0, UP)
    assert len(list(ledger.silencing())) == 2


def test_another_process_reads_the_same_memory() -> None:
    memory = bytearray(Ledger.size(1))
    Ledger(1, memory).mark(0, messages.note_on(9, 36, 100))
    assert list(Ledger(1, memory).silencing()) == [(0, messages.note_off(9, 36))]


def test_only_what_is_down_can_come_up() -> None:
    ledger = Ledger(1)
    sostenuto = [messages.control_change(3, messages.SOSTENUTO, value) for value in (127, 0)]
    for press, lift in ((messages.note_on(3, 60, 9), messages.note_off(3, 60)), (DOWN, UP), tuple(sostenuto)):
        assert not ledger.ends(0, lift)
        ledger.mark(0, press)
        assert not ledger.ends(0, press)
        assert ledger.ends(0, lift)
    assert not ledger.ends(0, messages.program_change(3, 60))


channel_messages = st.one_of(
    st.builds(messages.note_on, st.integers(0, 1), st.integers(60, 62), st.integers(0, 127)),
    st.builds(messages.note_off, st.integers(0, 1), st.integers(60, 62)),
    st.builds(messages.control_change, st.integers(0, 1), st.sampled_from([64, 66, 67]), st.integers(0, 127)),
)


@given(st.lists(st.tuples(st.integers(0, 1), channel_messages)))
def test_what_silences_leaves_nothing_down(sent: list[tuple[int, bytes]]) -> None:
    ledger = Ledger(2)
    for output, message in sent:
        ledger.mark(output, message)
    for output, message in list(ledger.silencing()):
        assert ledger.ends(output, message)
        ledger.mark(output, message)
    assert not list(ledger.silencing())


def test_panic_reaches_every_channel() -> None:
    sent = list(panic_messages())
    assert len(sent) == len(set(sent)) == 64
    assert {messages.channel(message) for message in sent} == set(range(16))
    assert {message[1] for message in sent} == {64, 66, 120, 123}
