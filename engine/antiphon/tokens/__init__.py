"""Music as tokens, and the generator made of a codec and a model that reads tokens."""
