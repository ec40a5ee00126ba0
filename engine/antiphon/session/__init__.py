"""What is recorded, and what becomes of it."""
