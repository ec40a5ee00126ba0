"""From what a performance needs to a player: finds the generator and its model, and makes it."""

from __future__ import annotations

from antiphon.duet.casting import PlayerNeeded
from antiphon.duet.player import Player
from antiphon.errors import AntiphonError
from antiphon.plugins.host import load_plugins
from antiphon.plugins.models import with_model_file
from antiphon.tracebacks import Tracebacks


def make_player(needed: PlayerNeeded) -> Player:
    """Make the player of `needed`. Raises AntiphonError, naming it, if its generator cannot be made."""
    registered = load_plugins().generator(needed.generator)
    try:
        return Player(registered.info, registered.make(with_model_file(needed.casting, registered.info)))
    except AntiphonError:
        raise
    except Exception as error:  # A plugin may raise anything at all.
        Tracebacks().write(f"generator {needed.generator!r} cannot be made", error)
        reason = f"{type(error).__name__}: {error}"
        raise AntiphonError(f"generator {needed.generator!r} cannot be made: {reason}") from error
