"""One TOML file a licence version; ``index.json`` has the hash of each (``tests/governance/licence_index.py``)."""
