"""Builds the documentation site into site/: the README's pictures and text become the first page.  Run by `make
docs`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def first_page(readme: str) -> str:
    """The README as docs/index.md: links into docs/ lose that prefix, links to other files of the repository become
    plain text.
    """
    text = re.sub(r"\]\(docs/", "](", readme)
    return re.sub(r"\[([^\]]+)\]\((?!https?:|#)([A-Z][^)]*|recipes/[^)]*|benchmarks/[^)]*)\)", r"\1 (`\2`)", text)


def main() -> int:
    """Writes docs/index.md and runs mkdocs; returns its exit code."""
    index = ROOT / "docs" / "index.md"
    index.write_text(first_page((ROOT / "README.md").read_text()))
    try:
        command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--clean"]
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    finally:
        index.unlink()


if __name__ == "__main__":
    sys.exit(main())
