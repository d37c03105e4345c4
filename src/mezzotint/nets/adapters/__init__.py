"""Adapters: low-rank additions to a network's layers, put on without copying or changing the base."""
