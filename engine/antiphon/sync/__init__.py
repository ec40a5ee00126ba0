"""Whose time it is: MIDI clock, Link, taps; and the clock that is sent."""
