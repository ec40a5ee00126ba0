"""Generators that do everything a generator must not. They play well only by accident."""

from __future__ import annotations

import os
import time

from antiphon import Casting, GeneratorInfo, LatencyClass, Note, Phrase, RegisterGenerator, Request, hookimpl


class Troublemaker:
    """Plays a quarter note for every beat it is asked for, unless its manners forbid it."""

    def __init__(self, manners: str, casting: Casting) -> None:
        self._manners = manners
        self._beat = casting.beat
        self.runs_on = f"{casting.device}, if it must"

    def prime(self, heard: Phrase) -> None:
        if heard.notes:
            self._misbehave("prime")

    def rewind(self, to_ticks: int) -> None:
        pass

    def extend(self, request: Request) -> Phrase:
        self._misbehave("extend")
        notes = [self._note(ticks) for ticks in range(request.start_ticks, request.end_ticks, 480)]
        if self._manners == "overlapping":
            # Each of a pitch that still sounds, and rings on beyond the end.
            notes = [Note(ticks, 60, 4800, 80) for ticks in range(request.start_ticks, request.end_ticks, 120)]
        return Phrase(request.start_ticks, request.end_ticks, tuple(notes))

    def _note(self, ticks: int) -> Note:
        if self._manners == "negative-length":
            return Note(ticks, 60, -240, 80)
        if self._manners == "before-its-time":
            return Note(ticks - 9600, 60, 240, 80)
        if self._manners == "out-of-range":
            return Note(ticks, 200, 240, 80)
        return Note(ticks, 60, 240, 80)

    def _misbehave(self, where: str) -> None:
        if self._manners == f"raises-in-{where}":
            raise KeyError("lost the score")
        if self._manners == f"hangs-in-{where}":
            while True:
                time.sleep(60)
        if self._manners in ("slow-but-beats", "beats-for-ever") and where == "extend":
            begun = time.perf_counter()
            while self._manners == "beats-for-ever" or time.perf_counter() - begun < 3:
                time.sleep(0.05)
                self._beat()
        if self._manners == f"dies-in-{where}":
            os._exit(86)


_LATENCY: dict[str, LatencyClass] = {"slow-but-beats": "heavy"}


def make(manners: str, casting: Casting) -> Troublemaker:
    if manners == "cannot-be-made":
        raise OSError("no model anywhere")
    return Troublemaker(manners, casting)


@hookimpl
def register_generators(register: RegisterGenerator) -> None:
    for manners in (
        "raises-in-prime",
        "raises-in-extend",
        "hangs-in-prime",
        "hangs-in-extend",
        "dies-in-extend",
        "overlapping",
        "negative-length",
        "before-its-time",
        "out-of-range",
        "cannot-be-made",
        "slow-but-beats",
        "beats-for-ever",
    ):
        register(
            GeneratorInfo(manners, f"A generator that is {manners}.", latency=_LATENCY.get(manners, "quick")),
            lambda casting, manners=manners: make(manners, casting),
        )
