"""What is due, in the order of its day."""
