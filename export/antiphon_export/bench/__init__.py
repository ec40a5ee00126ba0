"""Benchmarks: what the project promises in numbers, measured on the machine they run on. They change nothing."""
