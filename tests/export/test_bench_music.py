"""The calls of eight kinds that are drawn with a generator's answers."""

from __future__ import annotations

from antiphon_export.bench.calls import calls


def test_every_call_but_silence_has_notes_that_end() -> None:
    for name, call in calls().items():
        assert bool(call.notes) == (name != "silence")
        assert all((note.end_ticks or 0) <= call.end_ticks + 200 for note in call.notes)
