"""A performance in front of a person."""
