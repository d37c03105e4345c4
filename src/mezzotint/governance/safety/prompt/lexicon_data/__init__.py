"""The word lists that ship; ``pinned`` has their hashes."""
