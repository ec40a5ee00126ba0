"""Music as piano rolls, and models of rolls."""
