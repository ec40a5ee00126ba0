"""The workbench of the VAE: windows of music as rolls, training, judging, export. It plays nothing."""
