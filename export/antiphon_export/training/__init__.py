"""Training of token models: pieces, windows of them, the loop, and the folder that a run leaves."""
