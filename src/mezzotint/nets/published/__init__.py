"""Networks of published checkpoints in few lines: the layers, names and arithmetic of the libraries' classes."""
