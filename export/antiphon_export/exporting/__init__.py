"""From a checkpoint to a model file: the graph of one step, how weights are stored, and the proof that both agree."""
