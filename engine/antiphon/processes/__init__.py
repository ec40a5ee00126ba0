"""Threads and processes: engine, players, sound, supervisor."""
