"""Families of published models: each says, without torch, how a diffusers folder of its kind runs as our stages."""
