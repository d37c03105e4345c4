"""How good generated pictures are: distance to real ones, fidelity and coverage, copies of training data."""
