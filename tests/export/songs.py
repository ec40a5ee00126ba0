"""Music made by rule, as MIDI files that a test writes in milliseconds."""

from __future__ import annotations

import csv
from pathlib import Path

import mido


def write_song(path: Path, notes: int = 200, pedal: bool = False, signature: tuple[int, int] = (4, 4)) -> None:
    """A melody in eighth notes over a bass, in two tracks, at 120 bpm and 480 ticks a beat."""
    tune = (60, 62, 64, 67, 65, 64, 62, 59)
    file = mido.MidiFile(ticks_per_beat=480)
    melody = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=signature[0], denominator=signature[1])])
    if pedal:
        melody.append(mido.Message("control_change", control=64, value=127))
    for index in range(notes):
        pitch = tune[index % 8] + index // 64
        melody.append(mido.Message("note_on", note=pitch, velocity=60 + index % 8, time=0))
        melody.append(mido.Message("note_off", note=pitch, time=240))
    if pedal:
        melody.append(mido.Message("control_change", control=64, value=0, time=480))
    bass = mido.MidiTrack()
    for index in range(notes // 2):
        bass.append(mido.Message("note_on", note=36 + index % 5, velocity=70, time=0))
        bass.append(mido.Message("note_off", note=36 + index % 5, time=480))
    file.tracks += [melody, bass]
    file.save(path)


def write_songs(folder: Path) -> Path:
    """Four songs with a manifest, the last for validation; returns `folder`, which is made."""
    folder.mkdir()
    for number in range(4):
        write_song(folder / f"{number}.mid")
    rows = [{"file": f"{number}.mid", "split": "valid" if number == 3 else "train"} for number in range(4)]
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["file", "split"])
        writer.writeheader()
        writer.writerows(rows)
    return folder
