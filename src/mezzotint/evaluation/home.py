"""Where evaluation keeps what it can make again: converted feature weights and features of reference sets."""

from __future__ import annotations

import os
from pathlib import Path


def cache() -> Path:
    """``$MEZZOTINT_HOME/features``, else the user's cache folder; created when missing, may be deleted at any time."""
    home = os.environ.get("MEZZOTINT_HOME")
    if home is None:
        import platformdirs

        home = platformdirs.user_cache_dir("mezzotint")
    folder = Path(home) / "features"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
