"""Where presets are found by name: the folders plugins bring, and the user's own. It reads files only when asked to."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from platformdirs import user_config_path

from antiphon.errors import AntiphonError
from antiphon.plan import Plan, input_names
from antiphon.preset_document import did_you_mean, printable, read_document, validate
from antiphon.preset_remote import read_remote, refuse_clashes
from antiphon.preset_schema import SetlistFile
from antiphon.presets import Generators, load_preset


@dataclass(frozen=True, slots=True)
class Listing:
    """One line of the library's table of contents."""

    name: str
    """What `find` finds it by: the file's name without `.toml`."""
    path: Path
    kind: Literal["preset", "setlist", "unreadable"]
    origin: str
    """`yours`, or the name of the folder that a plugin brought."""
    description: str
    """The file's own, or empty."""


def user_preset_folder() -> Path:
    """Where a user's own presets live; it need not exist."""
    return user_config_path("antiphon") / "presets"


class PresetLibrary:
    """All presets and setlists that can be called by name; the user's shadow those that plugins bring."""

    def __init__(self, folders: Sequence[Path], user_folder: Path | None = None) -> None:
        """`folders`: those that plugins registered. `user_folder`: by default `user_preset_folder()`."""
        self._user_folder = (user_folder or user_preset_folder()).absolute()
        self._folders = tuple(dict.fromkeys(folder.absolute() for folder in folders))

    def names(self) -> tuple[str, ...]:
        """Names of all presets and setlists, sorted."""
        return tuple(sorted(self._candidates()))

    def listings(self) -> tuple[Listing, ...]:
        """Everything that can be called by name, sorted; names that two plugins share come twice."""
        return tuple(self._listing(name, path) for name, paths in sorted(self._candidates().items()) for path in paths)

    def find(self, name_or_path: str) -> Path:
        """The file of a name; a path (with a slash, or ending in `.toml`) is taken as it is.

        Raises:
            AntiphonError: no such file or name, or two plugins bring this name.
        """
        if _is_path(name_or_path):
            path = Path(name_or_path).expanduser()
            if not path.is_file():
                raise AntiphonError(f"there is no preset file '{path}'; `antiphon presets list` names those there are")
            return path
        candidates = self._candidates()
        paths = candidates.get(name_or_path, [])
        if not paths:
            known = ", ".join(sorted(candidates)) or f"none; put files into {self._user_folder}"
            raise AntiphonError(
                f"no preset '{name_or_path}'{did_you_mean(name_or_path, candidates)} there are: {known}"
            )
        if len(paths) > 1:
            choices = " or ".join(str(path) for path in paths)
            raise AntiphonError(f"preset '{name_or_path}' is ambiguous; give one of the paths: {choices}")
        return paths[0]

    def load_set(self, name_or_path: str, generators: Generators) -> tuple[Plan, ...]:
        """The plan of a preset, or the plans of a setlist: program change n selects the n-th, from 0.

        Raises:
            AntiphonError: what `find` and `load_preset` raise; for a setlist, all problems of all its presets.
        """
        path = self.find(name_or_path)
        document = read_document(path)
        if "presets" not in document.values:
            return (load_preset(path, generators),)
        setlist = validate(document, SetlistFile, {})
        plans: dict[Path, Plan] = {}
        order: list[Path] = []
        broken: dict[Path, str] = {}
        for index, name in enumerate(setlist.presets):
            try:
                found = self._find_beside(path.parent, name)
            except AntiphonError as error:
                document.refuse(("presets", index), f": {error}")
                continue
            order.append(found)
            if found not in plans and found not in broken:
                try:
                    plans[found] = load_preset(found, generators)
                except AntiphonError as error:
                    broken[found] = str(error)
        played = tuple(plans[found] for found in order if found in plans)
        if setlist.remote is not None:
            inputs = {name for plan in played for name in input_names(plan)}
            remote = read_remote(
                document, setlist.remote, inputs if not broken else setlist.remote.program_inputs or ()
            )
            refuse_clashes(document, remote, played)
            played = tuple(replace(plan, remote=remote) for plan in played)
        if setlist.switch is not None:
            played = tuple(replace(plan, switch=setlist.switch) for plan in played)
        problems = [*document.report(), *broken.values()]
        if problems:
            raise AntiphonError("\n".join(problems))
        return played

    def _find_beside(self, folder: Path, name: str) -> Path:
        """A setlist's preset: by path from the setlist's folder, or by name, where its own folder comes first.

        A setlist that a plugin brought takes the user's preset of that name, as everything else does.
        """
        if _is_path(name):
            return self.find(str(folder / Path(name).expanduser()))
        sibling = folder / f"{name}.toml"
        if folder.absolute() not in self._folders and sibling.is_file():
            return sibling
        return self.find(name)

    def _candidates(self) -> dict[str, list[Path]]:
        """Files by name: the user's, or else all that plugins bring."""
        brought: dict[str, list[Path]] = {}
        for folder in self._folders:
            for path in _presets_in(folder):
                brought.setdefault(path.stem, []).append(path)
        return brought | {path.stem: [path] for path in _presets_in(self._user_folder)}

    def _listing(self, name: str, path: Path) -> Listing:
        origin = "yours" if path.parent == self._user_folder else path.parent.name
        try:
            values = tomllib.loads(path.read_text("utf-8-sig"))
        except (OSError, ValueError, RecursionError):
            return Listing(name, path, "unreadable", origin, f"run `antiphon presets check '{path}'`")
        kind: Literal["preset", "setlist"] = "setlist" if "presets" in values else "preset"
        return Listing(name, path, kind, origin, printable(str(values.get("description", ""))))


def _is_path(name: str) -> bool:
    return "/" in name or "\\" in name or name.endswith(".toml")


def _presets_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.toml") if path.is_file())
