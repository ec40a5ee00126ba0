"""The published study's Transformer: to be measured against, not to be played. It registers no generator."""
