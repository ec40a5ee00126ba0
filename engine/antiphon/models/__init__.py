"""What a model file says, where it lies, and how it computes. No codec."""
