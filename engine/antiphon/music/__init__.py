"""Time, MIDI bytes, notes heard, MIDI files: values with no port, process or model."""
