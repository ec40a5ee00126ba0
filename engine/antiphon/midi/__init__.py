"""MIDI systems and ports."""
