"""Music as a step a note, and the model that takes it so."""
