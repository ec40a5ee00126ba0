"""The parts of a recorded session as files for a DAW: which there are, and what is in them. It writes none of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from antiphon.errors import AntiphonError
from antiphon.music.midi_file import Score
from antiphon.session.journal import Session
from antiphon.session.parts import played_in
from antiphon.session.summary import timeline_of
from antiphon.session.takes import Take, takes_of


def part_files(session: Session, take: int | None = None) -> dict[str, Score]:
    """The file of each part that has notes, by its name. `take`: number of a run of the song; its time is the song's.

    Raises:
        AntiphonError: there is no such take, or nobody played.
    """
    played, prefix, within = played_in(session.header, session.records), "", ""
    if take is not None:
        chosen = _chosen(session, take)
        played = played.within(chosen, timeline_of(session.header, session.records))
        prefix, within = f"take-{take}-", f" take {take} of"
    files = {f"{prefix}{_file_name(score.tracks[0].name)}.mid": score for score in played.alone()}
    if not files:
        raise AntiphonError(f"nobody played in{within} {session.folder}: there is no part to write")
    return files


def described(takes: Sequence[Take]) -> str:
    """The takes, for a person to read."""
    return "; ".join(f"{take.number} (from bar {take.first_bar}, bars: {take.bars})" for take in takes)


def _chosen(session: Session, number: int) -> Take:
    takes = takes_of(session.header, session.records)
    if not takes:
        raise AntiphonError(
            f"{session.folder} has no takes: it was not played to a clock that tells where its song is; "
            "leave out --take, and the parts are in the session's own time"
        )
    if not 1 <= number <= len(takes):
        raise AntiphonError(f"{session.folder} has no take {number}; allowed: {described(takes)}")
    return takes[number - 1]


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-")
