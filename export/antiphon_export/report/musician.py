"""Who answers: a generator with its model and controls, asked offline as a voice asks it. It judges no note."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from antiphon.controls import ControlValue
from antiphon.duet.accompanist import COMPOSING_SECONDS
from antiphon.errors import AntiphonError
from antiphon.generator import Casting, Generator, GeneratorInfo, MakeGenerator, Request
from antiphon.models.card import ModelError, read_any_card
from antiphon.music.timing import seconds_to_ticks
from antiphon.notes import TICKS_PER_BEAT, Note, Phrase
from antiphon.plugins.host import Plugins, Registered
from antiphon.plugins.models import find_model, with_model_file
from antiphon.taste.hearing import told
from antiphon_export.midi_folder import Corpus
from antiphon_export.training.pieces import Piece, files_of, read_performance, read_score
from antiphon_plugins.codecs import PLAYERS

BAR_TICKS: Final = 1920
CALL_BARS: Final = 4
SESSION_BPM: Final = 120.0
"""Tempo of a session in free time: there a tick is 1/960 s, and beats are only counted."""


@dataclass(frozen=True, slots=True)
class Musician:
    """A generator, and with what it is made."""

    info: GeneratorInfo
    make: MakeGenerator
    model: str | None = None
    controls: Mapping[str, ControlValue] | None = None

    def seated(self, seed: int) -> Generator:
        """A player of this seed: by the contract, what it played before changes nothing of what it plays next.

        Raises:
            AntiphonError: the model does not fit, or a control is unknown or out of range.
        """
        try:
            self.info.resolve_controls(self.controls or {})
            return self.make(with_model_file(Casting(seed, self.model), self.info))
        except ValueError as error:
            raise error if isinstance(error, AntiphonError) else AntiphonError(str(error)) from error

    def answer(
        self,
        call: Phrase,
        bars: int = CALL_BARS,
        seed: int = 0,
        *,
        player: Generator | None = None,
        tempo_bpm: float = SESSION_BPM,
    ) -> Phrase:
        """Its continuation of `call`, asked for bar by bar; of `player`, or of one newly seated with `seed`."""
        player = player or self.seated(seed)
        player.prime(call)
        controls = self.info.resolve_controls(self.controls or {})
        notes: list[Note] = []
        start = call.end_ticks
        for bar in range(bars):
            left_ticks = (bars - bar) * BAR_TICKS
            request = Request(
                start,
                BAR_TICKS,
                controls,
                final=bar == bars - 1,
                tempo_bpm=tempo_bpm,
                left_ticks=left_ticks,
                answer_ticks=call.end_ticks,
            )
            notes += player.extend(told(request, call.notes)).notes
            start = request.end_ticks
        return Phrase(call.end_ticks, start, tuple(notes))

    def accompany(self, melody: Phrase, player: Generator) -> Phrase:
        """What it plays under `melody`, settled a beat at a time as a voice that plays along settles it.

        Of the melody it knows, for each beat, what was played until half a beat and the time for composing before it.
        """
        controls = self.info.resolve_controls(self.controls or {})
        ahead = TICKS_PER_BEAT // 2 + seconds_to_ticks(COMPOSING_SECONDS, SESSION_BPM)
        settled: list[Note] = []
        for start in range(melody.start_ticks + BAR_TICKS // 2, melody.end_ticks, TICKS_PER_BEAT):
            now = start - ahead
            heard = [_as_known(note, now) for note in melody.notes if note.start_ticks <= now]
            own = [replace(note, own=True) for note in settled]
            known = Phrase.of([*heard, *own], melody.start_ticks, start)
            player.prime(known)
            settled += player.extend(told(Request(start, TICKS_PER_BEAT, controls, beside=True), known.notes)).notes
        return Phrase(melody.start_ticks, melody.end_ticks, tuple(settled))

    def read(self, corpus: Corpus, split: str, skipped: Callable[[str], None] = lambda _: None) -> Iterator[Piece]:
        """The pieces of a split as this generator would hear them: on the grid if it follows beats, else as played."""
        read = read_score if self.info.follows == "beat" else read_performance
        for path in files_of(corpus, split):
            try:
                yield from read(path, split)
            except AntiphonError as error:
                skipped(str(error))


def _as_known(note: Note, now_ticks: int) -> Note:
    """`note` as it stands at `now_ticks`: held, if its key is still down."""
    end = note.end_ticks
    return note if end is not None and end <= now_ticks else Note(note.start_ticks, note.pitch, None, note.velocity)


def find_musician(plugins: Plugins, text: str, *, by: str | None = None, controls: Sequence[str] = ()) -> Musician:
    """Whom `text` means: a generator by name, or a model by path or name, played `by` what plays its codec.

    `controls`: NAME=VALUE each.

    Raises:
        AntiphonError: there is no such generator or model, or no generator is known to play the model.
    """
    if by == text or (by is None and text in plugins.generators):
        return musician_of(plugins.generator(text), None, controls)
    return musician_of(plugins.generator(_player_of(plugins, text) if by is None else by), text, controls)


def musician_of(chosen: Registered, model: str | None, controls: Sequence[str]) -> Musician:
    """A generator with its model and controls, NAME=VALUE each. Raises AntiphonError if one of these is wrong."""
    try:
        values = chosen.info.resolve_controls(chosen.info.spelt_controls(controls))
    except ValueError as error:
        raise AntiphonError(f"--control: {error}") from error
    return Musician(chosen.info, chosen.make, model, values)


def _player_of(plugins: Plugins, model: str) -> str:
    """Name of the generator that plays the codec of `model`, a path or name."""
    suffix = Path(model).suffix
    if suffix == ".pt":
        raise AntiphonError(f"{model!r} is a checkpoint, which cannot play; make a model of it with `antiphon export`")
    if suffix == ".npz":
        raise AntiphonError(f"{model!r} does not say who plays it; name the generator, as in --generator markov")
    try:
        path = find_model(model)
    except ModelError:
        if suffix != ".onnx" and "/" not in model and "\\" not in model:
            plugins.generator(model)  # Says which generators there are, and the nearest.
        raise
    codec = read_any_card(path).codec
    if codec not in PLAYERS:
        raise AntiphonError(f"no generator is known for the codec {codec!r} of {model!r}; name one with --generator")
    return PLAYERS[codec]


def model_file(musician: Musician) -> Path | None:
    """The token model that this musician plays, if it is one: the named one, or the one that its generator brings."""
    folder = musician.info.models
    if musician.model is not None:
        return None if musician.model.endswith(".npz") else find_model(musician.model)
    if folder is None:
        return None
    # Generators may share a folder: then each has the models of the codec that it is there for.
    codecs = {codec for codec, player in PLAYERS.items() if player == musician.info.name}
    found = (path for path in sorted(folder.glob("*.onnx")) if not codecs or read_any_card(path).codec in codecs)
    return next(found, None)
