"""Weights that ship with Mezzotint, one folder a model; its CARD.md says how it was made and under which licence."""
