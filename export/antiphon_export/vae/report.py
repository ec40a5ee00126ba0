"""The evaluation of a VAE as lines of text. It measures nothing."""

from __future__ import annotations

from dataclasses import asdict

from antiphon_export.vae.evaluation import Change, Evaluation
from antiphon_export.vae.paths import Texture

_WAY: dict[str, str] = {
    "place": "place",
    "notes": "notes",
    "sure": "sure",
    "semitones": "range",
    "from_a": "from A",
    "from_b": "from B",
    "like_a": "like A",
    "like_b": "like B",
    "sounding": "sound",
}
"""Columns of a way: fields of `Point`, and what they are called."""


def lines(found: Evaluation) -> list[str]:
    """What `antiphon evaluate` prints of a VAE."""
    told = [
        f"notes that come back: F1 {found.f1:.3f}, precision {found.precision:.3f}, recall {found.recall:.3f} "
        f"({found.windows:,} of {found.windows_in_all:,} windows)",
        f"of those, {found.lengths_right:.1%} have their length, and velocities are {found.velocity_error:.1f} off",
        f"{found.active} of the {found.latent} numbers of a code are in use",
        f"ways between {found.pairs} pairs, A and B; on average, notes, range and pitch classes turn back "
        f"by {found.turning_back:.1%} of their way at most:",
        "  ".join(f"{title:>7}" for title in _WAY.values()),
    ]
    for point in found.way:
        values = asdict(point)
        told.append("  ".join(f"{values[name]:7.1f}" if name in _WHOLE else f"{values[name]:7.3f}" for name in _WAY))
    told += [_texture("the music", found.music), _texture("the prior", found.chance)]
    return told + [_change(change) for change in found.changes]


_WHOLE = ("notes", "sure", "semitones")
"""Columns of counts."""


def _change(change: Change) -> str:
    way = "up" if change.step > 0 else "down"
    return (
        f"{change.direction} {way}: {change.notes - 1:+z.0%} notes, {change.semitones:+z.1f} semitones, "
        f"{change.velocity:+z.1f} in velocity"
    )


def _texture(name: str, texture: Texture) -> str:
    return (
        f"{name}: {texture.sounding:.0%} of {texture.windows:,} windows sound; {texture.notes:.1f} notes over "
        f"{texture.semitones:.1f} semitones, {texture.together:.2f} at a time, {texture.length_steps:.1f} steps long, "
        f"{texture.on_beat:.0%} on a beat, {texture.in_key:.0%} in a key; repeated {texture.again:.2f}, "
        f"alike {texture.alike:.2f}"
    )
