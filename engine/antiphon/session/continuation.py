"""Music from files, offline: a score continued, a session played again, by the same performer as on stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from antiphon.controls import ControlValue
from antiphon.duet.lead_in import LeadIn
from antiphon.duet.offline import Offline
from antiphon.duet.plan import Handover, PartPlan, Plan, VoicePlan
from antiphon.duet.schedule import PLAYER, Send
from antiphon.errors import AntiphonError
from antiphon.music import messages
from antiphon.music.midi_file import Score, Track
from antiphon.plugins.host import load_plugins
from antiphon.plugins.making import make_player
from antiphon.plugins.models import is_installed
from antiphon.presets.wishes import Wishes
from antiphon.session.free_channel import free_channel
from antiphon.session.journal import Record, Session, user_session_folder
from antiphon.session.summary import score_of

_SIGNAL = 119
"""The controller that ends the call here: undefined in MIDI 1.0, so that no file means anything by it."""


@dataclass(frozen=True, slots=True)
class Continued:
    """A score with its continuation."""

    score: Score
    notes: int
    """How many notes were added."""


def continue_score(
    score: Score,
    *,
    generator: str,
    bars: int,
    seed: int,
    model: str | None = None,
    controls: Mapping[str, ControlValue] | None = None,
    key: str | None = None,
) -> Continued:
    """Let `generator` go on for `bars` bars, from the first bar line after the end of `score`.

    Its bars are those of the metre in force there; it plays on a channel of its own, if one is left. `controls`: those
    of the generator, and those that every voice has but `length`; `key`: a scale by its name, or `auto`.

    Raises:
        AntiphonError: the generator or a control is unknown, there is nothing that it can hear, or it fails.
    """
    info = load_plugins().generator(generator).info
    if "length" in (controls or {}):
        raise AntiphonError("--set length has no effect here; --bars says how much is added")
    if not score.phrase().notes:
        raise AntiphonError(f"{generator} has nothing to go on from: {_unheard(score)}")
    channel, cleared = free_channel(message for _, message in score.merged())
    heard = LeadIn(score, info.follows)
    voice = VoicePlan(
        generator=generator,
        model=model,
        follows=info.follows,
        controls=info.resolve_controls({}),
        handover=Handover(by="trigger", trigger_cc=_SIGNAL),
        answer_bars=bars,
        launch="bar",
        channel=channel,
        parts=tuple(PartPlan(name, channel) for name in info.parts),
        # Nobody is touching a key after the end, and files may hold drums there.
        input_channels=frozenset(range(16)) - {messages.DRUM_CHANNEL},
    )
    plan = Plan("continue", (voice,), heard.bpm, heard.signature, seed, outputs=("virtual",), thru=False)
    wishes = Wishes(key=key, controls=tuple((controls or {}).items()))
    stage = Offline(wishes.granted([plan], {generator: info}), make_player)
    stage.begin()
    for ticks, message in heard.messages():
        if not messages.is_controller(message, _SIGNAL):
            stage.hear(message, ticks)
    stage.hear(messages.control_change(0, _SIGNAL, 127), heard.begin_ticks)
    stage.end(heard.begin_ticks + bars * heard.signature.bar_ticks)
    failure = next((r for r in stage.record_of if getattr(r, "kind", None) in ("fallback", "silent")), None)
    if failure is not None:
        raise AntiphonError(f"the generator did not go on: {getattr(failure, 'text', '')}")
    line_ticks = heard.line_ticks
    played = [(s.part, (heard.score_ticks(s.due_ticks), s.message)) for s in stage.sends if s.source != PLAYER]
    notes = sum(messages.is_note_on(message) for _, (_, message) in played)
    prepared = tuple((line_ticks, message) for message in cleared)
    tracks = list(score.tracks)
    for number, part in enumerate(voice.all_parts):
        own = tuple(event for which, event in played if which == number)
        tracks.append(Track(f"antiphon {generator} {part.name}".strip(), (*(() if number else prepared), *own)))
    whole = Score(tuple(tracks), score.tempo, score.signatures, (*score.markers, (line_ticks, "antiphon")))
    return Continued(whole, notes)


def _unheard(score: Score) -> str:
    """Why nothing of `score` can be heard as music."""
    drums = sum(messages.is_note_on(message) for _, message in score.merged())
    if not drums:
        return "the file has no notes in it; allowed: at least one; choose another file"
    count = "its only note is a drum's" if drums == 1 else f"all its {drums} notes are drums'"
    return f"{count} (channel {messages.DRUM_CHANNEL + 1}); allowed: at least one note on another channel"


@dataclass(frozen=True, slots=True)
class Replayed:
    """A session that was played again."""

    score: Score
    messages: int
    """How many messages were sent."""
    difference: str | None
    """The first message that came out different; None: none did."""


def refuse_strange_models(session: Session, named: Iterable[str] = ()) -> None:
    """Raise AntiphonError if `session` plays a model file that is neither installed, nor beside it, nor `named`.

    A session that is not among the user's own may come from somebody else, who has no say in which files are opened.
    """
    own = {Path(path).expanduser().resolve() for path in named}
    if session.folder.resolve().is_relative_to(user_session_folder().resolve()):
        return
    for model in {voice.model for plan in session.header.plans for voice in plan.voices if voice.model is not None}:
        path = Path(model).expanduser().resolve()
        if not (is_installed(model) or path in own or path.is_relative_to(session.folder.resolve())):
            raise AntiphonError(
                f"{session.folder} was played with the model file '{model}', which you have not installed; "
                f"if it is yours, add --model '{model}'"
            )


def replay_session(session: Session) -> Replayed:
    """Play `session` again from its events. Raises AntiphonError if a generator of it cannot be made."""
    stage = Offline(session.header.plans, make_player)
    stage.duet.begin()
    stage.replay(record.what for record in session.records)
    before = [record.what for record in session.records if isinstance(record.what, Send)]
    after = stage.sends
    # A session that was killed ends where its journal does, so that no note hangs in the score.
    stage.end(stage.duet.now_ticks)
    records = tuple(Record(what) for what in stage.record_of)
    difference = None
    for number, (old, new) in enumerate(zip(before, after, strict=False)):
        if old != new:
            difference = f"message {number + 1} was {old}, is {new}"
            break
    else:
        if len(before) > len(after):
            difference = f"{len(before)} messages were sent, now {len(after)}"
    return Replayed(score_of(session.header, records), len(after), difference)
