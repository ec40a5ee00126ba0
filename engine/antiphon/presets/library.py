"""Where presets are found by name: the folders plugins bring, and the user's own. It reads files only when asked to."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from antiphon.duet.plan import Plan
from antiphon.duet.routing import input_names
from antiphon.errors import AntiphonError
from antiphon.input_files import read_bounded
from antiphon.presets.document import MOST_BYTES, nearest_file, read_document, shown, validate
from antiphon.presets.reach import user_preset_folder, within_reach
from antiphon.presets.reading import Generators, Rehearse, load_preset, plan_of
from antiphon.presets.remote import read_remote, refuse_clashes
from antiphon.presets.schema import SetlistFile
from antiphon.printable import printable
from antiphon.spelling import nearest, suggestion


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

    def find(self, name_or_path: str, folder: Path = Path()) -> Path:
        """The file of a name; a path (with a slash, or ending in `.toml`) is taken as it is.

        `folder`: whose files are thought of, too, when there is no such name.

        Raises:
            AntiphonError: no such file or name, or two plugins bring this name.
        """
        if _is_path(name_or_path):
            path = Path(name_or_path).expanduser()
            if not path.is_file():
                hint = nearest_file(path, ".toml")
                raise AntiphonError(f"there is no preset file '{path}'{hint} `antiphon presets list` names presets")
            return path
        candidates = self._candidates()
        paths = candidates.get(name_or_path, [])
        if not paths:
            known = ", ".join(sorted(candidates)) or f"none; put files into {self._user_folder}"
            names = {path.stem: path.name for path in _presets_in(folder)} | {name: name for name in candidates}
            hint = suggestion(names.get(nearest(name_or_path, names), ""))
            raise AntiphonError(f"no preset '{name_or_path}'{hint} there are: {known}")
        if len(paths) > 1:
            choices = " or ".join(str(path) for path in paths)
            raise AntiphonError(f"preset '{name_or_path}' is ambiguous; give one of the paths: {choices}")
        return paths[0]

    def load_set(self, name_or_path: str, generators: Generators, rehearse: Rehearse | None = None) -> tuple[Plan, ...]:
        """The plan of a preset, or the plans of a setlist: program change n on the wire selects the n-th, from 0.

        `rehearse`: see `load_preset`.

        Raises:
            AntiphonError: what `find` and `load_preset` raise; for a setlist, all problems of all its presets, each
                below the line that asks for it.
        """
        path = self.find(name_or_path)
        document = read_document(path)
        if "presets" not in document.values:
            return (plan_of(document, generators, rehearse),)
        setlist = validate(document, SetlistFile, {})
        plans: dict[Path, Plan | None] = {}
        order: list[Plan] = []
        for index, name in enumerate(setlist.presets):
            key = ("presets", index)
            try:
                found = self._find_beside(path, name)
            except AntiphonError as error:
                document.refuse(key, f": {error}")
                continue
            if found not in plans:
                try:
                    plans[found] = load_preset(found, generators, rehearse)
                except AntiphonError as error:
                    plans[found], document.below[key] = None, str(error)
            plan = plans[found]
            if plan is None:
                document.refuse(key, f" is {shown(name)}, which cannot be played:")
            else:
                order.append(plan)
        played = tuple(order)
        if setlist.remote is not None:
            # Where a preset is broken, its ports are not known, and none is refused.
            complete = len(played) == len(setlist.presets)
            inputs = {name for plan in played for name in input_names(plan)}
            remote = read_remote(document, setlist.remote, inputs if complete else setlist.remote.program_inputs or ())
            refuse_clashes(document, remote, played)
            played = tuple(replace(plan, remote=remote) for plan in played)
        if setlist.switch is not None:
            played = tuple(replace(plan, switch=setlist.switch) for plan in played)
        document.raise_problems()
        return played

    def _find_beside(self, setlist: Path, name: str) -> Path:
        """A setlist's preset: by path from the setlist's folder, or by name, where its own folder comes first.

        A setlist that a plugin brought takes the user's preset of that name, as everything else does.
        """
        folder = setlist.parent
        if _is_path(name):
            return self.find(str(within_reach(setlist, name, self._user_folder)))
        sibling = folder / f"{name}.toml"
        if folder.absolute() not in self._folders and sibling.is_file():
            return sibling
        return self.find(name, folder)

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
            values = tomllib.loads(read_bounded(path, MOST_BYTES).decode("utf-8-sig"))
        except (AntiphonError, ValueError, RecursionError):
            return Listing(name, path, "unreadable", origin, f"run `antiphon presets check '{path}'`")
        kind: Literal["preset", "setlist"] = "setlist" if "presets" in values else "preset"
        return Listing(name, path, kind, origin, printable(str(values.get("description", ""))))


def _is_path(name: str) -> bool:
    return "/" in name or "\\" in name or name.endswith(".toml")


def _presets_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.toml") if path.is_file())
