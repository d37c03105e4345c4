"""``tune``: photographs in, an adapter with its evidence out."""
