"""``calibrate``: a model and some words in, side-cars out."""
