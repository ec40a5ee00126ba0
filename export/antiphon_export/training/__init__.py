"""What every training run is made of: pieces, the loop, its optimizers, and the folder that a run leaves."""
