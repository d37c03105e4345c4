"""``guide``: a model and a guidance scale in, the change of its weights that saves the second call out."""
