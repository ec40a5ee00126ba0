"""Which ports a set of plans needs, and what goes to each."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.duet.plan import Plan


def output_names(plans: Sequence[Plan]) -> tuple[str, ...]:
    """Every output of `plans`, once, in order; `auto` stands for the virtual port and the built-in synth."""
    names: dict[str, None] = {}  # A set that keeps its order.
    for plan in plans:
        for name in plan.outputs:
            names |= dict.fromkeys(("virtual", "synth") if name == "auto" else (name,))
    return tuple(names)


def counts_in(plan: Plan) -> bool:
    """Whether a session that begins with `plan` is counted in; where a MIDI clock is followed, its sender does that."""
    return plan.sync != "midi" and plan.metronome.count_in_bars > 0


def metronome_output_names(plan: Plan) -> tuple[str, ...]:
    """The outputs of `plan` that hear the click: the one it names, or what the player listens to anyway."""
    names = output_names([plan])
    if plan.metronome.output in names:
        return (plan.metronome.output,)
    return ("synth",) if "synth" in names else names


def clock_output_names(plan: Plan) -> tuple[str, ...]:
    """The outputs of `plan` that a MIDI clock is sent to; none while it follows one. The built-in synth needs none."""
    ports = tuple(name for name in output_names([plan]) if name != "synth")
    if plan.sync != "internal" or plan.clock_out is False:
        return ()
    return ports if plan.clock_out is True else tuple(name for name in ports if name in plan.clock_out)


def input_names(plan: Plan) -> tuple[str, ...]:
    """Every input of `plan`, once, in order; `auto` stands for the virtual port and the keyboards that are found."""
    names = (name for wanted in plan.inputs for name in (("virtual", "auto") if wanted == "auto" else (wanted,)))
    return tuple(dict.fromkeys(names))


def output_offsets(plan: Plan, names: Sequence[str]) -> tuple[float, ...]:
    """Seconds by which what is played leaves each of the outputs `names` later, or, if negative, earlier."""
    own = output_names([plan])
    return tuple(plan.latency.get(name, 0.0) / 1000 if name in own else 0.0 for name in names)
