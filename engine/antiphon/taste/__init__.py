"""What of a call its answer keeps to: key, pulse, motif, and how it ends. No model, and nothing drawn."""
