"""What is done to Antiphon on purpose, so that it does not happen on a stage."""
