"""The models that take a note a step. What is trained is in `model`."""
