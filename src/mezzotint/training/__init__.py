"""Training: a loop that is a generator, data that streams, averages, checkpoints that survive anything."""
