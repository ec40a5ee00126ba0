"""A plugin that cannot even be imported."""

raise RuntimeError("the moon is in the wrong phase")
