"""What several commands begin with: plans with the versions of their generators, a device, a folder to record into."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from antiphon.duet.plan import Plan
from antiphon.duet.routing import input_names, output_names
from antiphon.errors import AntiphonError
from antiphon.generator import Device
from antiphon.plugins.host import Plugins, load_plugins

if TYPE_CHECKING:
    from antiphon.presets.wishes import Wishes


def load_plans(preset: str, wishes: Wishes | None = None) -> tuple[tuple[Plan, ...], dict[str, str]]:
    """The plans of a preset or setlist, and where each of their generators comes from, by name."""
    from antiphon.presets.library import PresetLibrary

    plugins = load_plugins()
    plans = PresetLibrary(plugins.preset_folders).load_set(preset, plugins.infos)
    if wishes is not None:
        plans = wishes.granted(plans, plugins.infos)
    return plans, origins_of(plans, plugins)


def origins_of(plans: Sequence[Plan], plugins: Plugins) -> dict[str, str]:
    """Distribution and version of every generator in `plans`, by the generator's name."""
    names = {name for plan in plans for voice in plan.voices for name in (voice.generator, voice.fallback)}
    return {name: plugins.generator(name).origin for name in sorted(names)}


def check_routes(plans: Sequence[Plan]) -> None:
    """After other ports were chosen than the presets': nobody may be left without one. Raises AntiphonError if so."""
    for plan in plans:
        for number, voice in enumerate(plan.voices, start=1):
            who = f"voice {number} of preset '{plan.name}'"
            heard, played = input_names(plan), output_names([plan])
            if voice.inputs is not None and voice.inputs.isdisjoint(heard):
                wanted = " or ".join(f"--in '{name}'" for name in sorted(voice.inputs))
                raise AntiphonError(f"{who} would hear nothing: --in leaves its ports out; add {wanted}")
            if voice.output is not None and voice.output not in played:
                wanted = f"--out '{voice.output}'"
                raise AntiphonError(f"nothing of {who} would be heard: --out leaves its port out; add {wanted}")


def device_named(name: str) -> Device:
    """The device that a person asked for. Raises AntiphonError if there is none of that name."""
    for device in get_args(Device):
        if name == device:
            return device  # type: ignore[no-any-return]  # one of them
    raise AntiphonError(f"--device is '{name}'; allowed: {', '.join(get_args(Device))}")


def new_session_folder() -> Path:
    """A folder, named by the time of day, where the user's data belong."""
    from antiphon.session.journal import user_session_folder

    stamp = datetime.datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    return user_session_folder() / stamp
