"""The built-in sound."""
