"""Weights that ship with Mezzotint, one folder a model; each folder's CARD.md says how it was made and under which licence."""
