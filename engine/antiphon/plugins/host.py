"""The plugin host: finds plugins, asks each what it brings, and lets none of them stop the others."""

from __future__ import annotations

import importlib.metadata
import inspect
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar, get_args

import pluggy

from antiphon import hooks
from antiphon.controls import AnyControl
from antiphon.errors import AntiphonError
from antiphon.generator import (
    MOST_PARTS,
    Constraint,
    Follows,
    GeneratorInfo,
    LatencyClass,
    MakeGenerator,
    RegisterGenerator,
)
from antiphon.spelling import nearest

if TYPE_CHECKING:
    import typer

    from antiphon.output import OpenOutput, RegisterOutput

_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CONTROL_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_GUARDED: Final = (Exception, SystemExit)
"""What a plugin may raise without stopping the host; Ctrl-C is the player's, and passes."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A generator that can be cast, and who brought it."""

    info: GeneratorInfo
    make: MakeGenerator
    origin: str
    """Distribution and version, e.g. `antiphon 0.1.0`."""


@dataclass(frozen=True, slots=True)
class RegisteredOutput:
    """A kind of output, and who brought it."""

    name: str
    """What presets call it; lower-case letters, digits and hyphens."""
    summary: str
    """One line for `antiphon plugins`."""
    open: OpenOutput
    """Opens one such output, by the name it is to have."""
    origin: str
    """Distribution and version, e.g. `antiphon 0.1.0`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A plugin, or a part of one, that is left out."""

    name: str
    """Its entry point."""
    distribution: str
    """Distribution and version that it came with."""
    reason: str
    """What went wrong, in one line."""
    traceback: str
    """The traceback as text; empty where nothing was raised."""


class Infos(dict[str, GeneratorInfo]):
    """What is known of each generator, by its name, and which plugins could not say what they bring."""

    def __init__(self, known: Mapping[str, GeneratorInfo], left_out: tuple[Failure, ...] = ()) -> None:
        super().__init__(known)
        self.left_out = left_out


def why_missing(name: str, known: Mapping[str, GeneratorInfo]) -> str:
    """Why there may be no generator `name`: what was raised by the plugin of that name, or else by any; or nothing.

    Begins with a comma, to follow what says that there is none.
    """
    left_out = known.left_out if isinstance(known, Infos) else ()
    its_own = [failure for failure in left_out if name in (failure.name, failure.distribution.split()[0])]
    return "".join(
        f", as plugin {failure.name!r} of {failure.distribution} is left out ({failure.reason}; "
        "`antiphon plugins --verbose` has the traceback)"
        for failure in its_own or left_out
        if failure.traceback
    )


_Draft = TypeVar("_Draft")
_Named = TypeVar("_Named", Registered, RegisteredOutput)


class Plugins:
    """What the installed plugins bring. Each hook of each plugin is called once, when its answer is first needed."""

    def __init__(self) -> None:
        self._guests: list[_Guest] = []
        self._failures: list[Failure] = []
        self._generators: dict[str, Registered] = {}
        self._outputs: dict[str, RegisteredOutput] = {}
        self._preset_folders: list[Path] = []

    @property
    def generators(self) -> Mapping[str, Registered]:
        """Generators by name."""
        for guest in self._guests:
            for draft in self._ask(guest, "register_generators", _collect_generators):
                self._adopt(guest, "generator", self._generators, draft.info.name, draft)
        return MappingProxyType(self._generators)

    @property
    def infos(self) -> Infos:
        """What is known of each generator, by its name, and which plugins are left out."""
        known = {name: registered.info for name, registered in self.generators.items()}
        return Infos(known, tuple(self._failures))

    @property
    def outputs(self) -> Mapping[str, RegisteredOutput]:
        """Kinds of output by name."""
        for guest in self._guests:
            for draft in self._ask(guest, "register_outputs", _collect_outputs):
                self._adopt(guest, "output", self._outputs, draft.name, draft)
        return MappingProxyType(self._outputs)

    @property
    def preset_folders(self) -> tuple[Path, ...]:
        """Folders of presets, the host's own first."""
        for guest in self._guests:
            self._preset_folders += self._ask(guest, "register_presets", _collect_preset_folders)
        return tuple(self._preset_folders)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Whatever is left out, and why; commands are tried by `add_commands` alone."""
        _ = self.generators, self.outputs, self.preset_folders
        return tuple(self._failures)

    def generator(self, name: str) -> Registered:
        """The generator called `name`. Raises AntiphonError naming those there are, and the nearest."""
        known = self.generators
        if name in known:
            return known[name]
        advice = _hint(name, known) or "see `antiphon plugins`"
        raise AntiphonError(
            f"there is no generator {name!r}{why_missing(name, self.infos)}; "
            f"there are: {', '.join(sorted(known)) or 'none'}; {advice}"
        )

    def add_commands(self, cli: typer.Typer) -> None:
        """Add every plugin's commands to `cli`; those that raise, or would replace a command, are left out."""
        import typer
        from typer.main import get_group

        taken = set(get_group(cli).commands)
        for guest in self._guests:
            draft = typer.Typer()
            if not self._call(guest, "register_commands", cli=draft):
                continue
            try:
                # Typer reads a command's parameters here, and refuses what it cannot turn into options.
                names = set(get_group(draft).commands)
            except _GUARDED as error:
                self._fail(guest, f"register_commands: {_sentence(error)}", error)
                continue
            if clash := sorted(names & taken):
                self._fail(guest, f"command {clash[0]!r} is there already; this plugin's commands are left out")
                continue
            taken |= names
            cli.registered_commands += draft.registered_commands
            cli.registered_groups += draft.registered_groups

    def admit(self, name: str, plugin: object, origin: str) -> None:
        """Let in `plugin`, a module or object with hook implementations; what is wrong with it goes to `failures`.

        It may come late: what it brings is there the next time somebody asks.
        """
        guest = _Guest(name, origin)
        try:
            guest.enter(plugin)
        except _GUARDED as error:
            self._fail(guest, _sentence(error), error)
        else:
            self._guests.append(guest)

    def load(self, entry_point: importlib.metadata.EntryPoint) -> None:
        """Import what `entry_point` names and let it in; what is wrong with it goes to `failures`."""
        origin = _origin(entry_point)
        try:
            plugin = entry_point.load()
        except _GUARDED as error:
            self._fail(_Guest(entry_point.name, origin), f"import: {_sentence(error)}", error)
        else:
            self.admit(entry_point.name, plugin, origin)

    def _ask(
        self, guest: _Guest, hook: str, collect: Callable[[str, list[_Draft]], Callable[..., None]]
    ) -> list[_Draft]:
        """What `guest` registers through `hook`, unless it was asked before; all of it, or nothing if it raises."""
        drafts: list[_Draft] = []
        return drafts if self._call(guest, hook, register=collect(guest.origin, drafts)) else []

    def _call(self, guest: _Guest, hook: str, **arguments: object) -> bool:
        """Call `hook` of `guest`, unless it was called before. True if it was called and did not raise."""
        try:
            return guest.call(hook, arguments)
        except _GUARDED as error:
            self._fail(guest, f"{hook}: {_sentence(error)}", error)
            return False

    def _adopt(self, guest: _Guest, kind: str, known: dict[str, _Named], name: str, draft: _Named) -> None:
        holder = known.setdefault(name, draft)
        if holder is not draft:
            self._fail(guest, f"{kind} {name!r} of {guest.origin} is refused: {holder.origin} brought one of that name")

    def _fail(self, guest: _Guest, reason: str, error: BaseException | None = None) -> None:
        text = "".join(traceback.format_exception(error)) if error else ""
        self._failures.append(Failure(guest.name, guest.origin, reason, text))


class _Guest:
    """One plugin in a pluggy manager of its own, so that its exceptions end no other plugin's turn."""

    def __init__(self, name: str, origin: str) -> None:
        self.name = name
        self.origin = origin
        self._manager = pluggy.PluginManager("antiphon")
        self._manager.add_hookspecs(hooks)
        self._asked: set[str] = set()

    def enter(self, plugin: object) -> None:
        """Register `plugin`. Raises if a hook is misspelt, has wrong arguments, or if there is none."""
        implemented = {
            str(options.get("specname") or attribute)
            for attribute in dir(plugin)
            if (options := self._manager.parse_hookimpl_opts(plugin, attribute)) is not None
        }
        if not implemented:
            raise ValueError("it implements no hook; is @antiphon.hookimpl missing?")
        specified = hook_arguments()
        for hook in sorted(implemented - specified.keys()):
            raise ValueError(f"there is no hook {hook!r}; {_hint(hook, specified) or 'see the plugin guide'}")
        self._manager.register(plugin, self.name)

    def call(self, hook: str, arguments: Mapping[str, object]) -> bool:
        """Call `hook`, unless it was called before. Whether it was called."""
        if hook in self._asked:
            return False
        self._asked.add(hook)
        getattr(self._manager.hook, hook).call_historic(kwargs=arguments)
        return True


def _collect_generators(origin: str, drafts: list[Registered]) -> RegisterGenerator:
    def register(info: GeneratorInfo, make: MakeGenerator) -> None:
        check_info(info)
        if not callable(make):
            raise ValueError(f"generator {info.name!r}: make is {make!r}; it must be callable")
        drafts.append(Registered(info, make, origin))

    return register


def _collect_outputs(origin: str, drafts: list[RegisteredOutput]) -> RegisterOutput:
    def register(name: str, summary: str, open_output: OpenOutput) -> None:
        _check_name("output", name)
        if not callable(open_output):
            raise ValueError(f"output {name!r}: open_output is {open_output!r}; it must be callable")
        drafts.append(RegisteredOutput(name, summary, open_output, origin))

    return register


def _collect_preset_folders(origin: str, drafts: list[Path]) -> Callable[[Path], None]:
    def register(folder: Path) -> None:
        if not Path(folder).is_dir():
            raise ValueError(f"preset folder {str(folder)!r} of {origin} does not exist")
        drafts.append(Path(folder))

    return register


def load_plugins(group: str = "antiphon") -> Plugins:
    """The plugins that are installed under the entry points of `group`. Never raises for what a plugin does.

    The host's own distribution comes first, so that nobody takes the place of a built-in, then the others by name.
    """
    plugins = Plugins()
    found = importlib.metadata.entry_points(group=group)
    for entry_point in sorted(found, key=lambda e: (not _origin(e).startswith("antiphon "), _origin(e), e.name)):
        plugins.load(entry_point)
    return plugins


def hook_arguments() -> dict[str, tuple[str, ...]]:
    """Every hook there is, with the names of its arguments."""
    manager = pluggy.PluginManager("antiphon")
    return {
        name: tuple(inspect.signature(function).parameters)
        for name, function in vars(hooks).items()
        if manager.parse_hookspec_opts(hooks, name) is not None
    }


def check_info(info: object) -> GeneratorInfo:
    """Return `info` if a generator may be declared so. Raises ValueError naming the first value that is wrong."""
    if not isinstance(info, GeneratorInfo):
        raise ValueError(f"register was given {type(info).__name__}; it must be a GeneratorInfo")
    _check_name("generator", info.name)
    prefix = f"generator {info.name!r}"
    if not info.summary.strip() or "\n" in info.summary:
        raise ValueError(f"{prefix}: summary is {info.summary!r}; it must be one line")
    for field, value, allowed in (("latency", info.latency, LatencyClass), ("follows", info.follows, Follows)):
        if value not in get_args(allowed):
            raise ValueError(f"{prefix}: {field} is {value!r}; allowed: {', '.join(get_args(allowed))}")
    for constraint in sorted(info.honours - set(get_args(Constraint))):
        raise ValueError(f"{prefix}: honours {constraint!r}; allowed: {', '.join(get_args(Constraint))}")
    for ability, able in (("interpolates", info.interpolates), ("fills", info.fills)):
        if type(able) is not bool:
            raise ValueError(f"{prefix}: {ability} is {able!r}; allowed: True or False")
    _check_parts(prefix, info.parts)
    names = [control.name for control in info.controls]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{prefix}: there are two controls {name!r}; names must differ")
    for control in info.controls:
        _check_control(prefix, control)
    return info


def _check_parts(prefix: str, parts: tuple[str, ...]) -> None:
    if not isinstance(parts, tuple) or len(parts) > MOST_PARTS:
        raise ValueError(f"{prefix}: parts is {parts!r}; allowed: a tuple of up to {MOST_PARTS} names")
    for name in parts:
        _check_name(f"{prefix}: part", name)
        if parts.count(name) > 1:
            raise ValueError(f"{prefix}: there are two parts {name!r}; names must differ")


def _check_control(prefix: str, control: AnyControl) -> None:
    if not _CONTROL_NAME.fullmatch(control.name):
        raise ValueError(f"{prefix}: control {control.name!r} must be of lower-case letters, digits and underscores")
    if problem := control.problem():
        raise ValueError(f"{prefix}: control {control.name!r} {problem}")
    if not control.allows(control.default):
        raise ValueError(f"{prefix}: the default of {control.name} is {control.default!r}; allowed: {control.allowed}")


def _check_name(kind: str, name: str) -> None:
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise ValueError(f"{kind} {name!r}: a name is of lower-case letters, digits and hyphens, e.g. 'canon-2'")


def _origin(entry_point: importlib.metadata.EntryPoint) -> str:
    distribution = entry_point.dist
    return f"{distribution.name} {distribution.version}" if distribution else "an unknown distribution"


def _sentence(error: BaseException) -> str:
    first_line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__


def _hint(name: str, known: Mapping[str, object]) -> str:
    meant = nearest(name, known)
    return f"did you mean {meant!r}?" if meant else ""
