"""Which files a preset or setlist may name: those beside it; one of the user's own, any. It reads none of them."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_config_path

from antiphon.errors import AntiphonError


def user_preset_folder() -> Path:
    """Where a user's own presets live; it need not exist."""
    return user_config_path("antiphon") / "presets"


def within_reach(document: Path, name: str, own: Path | None = None) -> Path:
    """The full path of the file that `document` calls `name`, from its own folder on.

    A preset from somebody else opens nothing that its user did not bring along with it. `own`: the folder of the user's
    presets, by default `user_preset_folder()`.

    Raises:
        AntiphonError: it is beyond the reach of `document`.
    """
    folder = document.parent.absolute()
    own = own or user_preset_folder()
    try:
        path = (folder / Path(name).expanduser()).absolute()
        # What leads elsewhere, by links or by dots, is elsewhere.
        near, mine = path.resolve().is_relative_to(folder.resolve()), folder.resolve() == own.resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise AntiphonError(f"'{name}' is no path ({error})") from error
    if near or mine:
        return path
    raise AntiphonError(
        f"'{path}' is not beside this file; allowed: files in {folder} and below; copy it there, or move this file "
        f"among your own, into {own}"
    )
