"""The workbench of models that take a note a step: their music, their training, and how they are judged."""
