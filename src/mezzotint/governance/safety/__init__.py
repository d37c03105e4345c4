"""What may not be asked for, and what may not be given out."""
