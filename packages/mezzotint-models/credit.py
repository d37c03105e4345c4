"""Writes who made the 3-D models that the product models have learnt from: CREDITS.md, which ships beside them.

    python packages/mezzotint-models/credit.py [CATALOG]

CATALOG has the .sh3f files; without it that of the Debian package sweethome3d-furniture.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mezzotint.files import write_atomic
from mezzotint.products.catalog import DEFAULT, Product, products
from mezzotint.products.rendering import credits

OUT = Path(__file__).resolve().parent / "src" / "mezzotint_models" / "CREDITS.md"
TAIL = """
From the Debian package sweethome3d-furniture 1.8 (https://www.sweethome3d.com). Changed here: photographed by
`mezzotint render`, some in other colours, and composed on other backgrounds; the weights of the models whose names
begin with `products` were learnt from those pictures.

CC-BY-3.0: https://creativecommons.org/licenses/by/3.0/ · CC0-1.0: https://creativecommons.org/publicdomain/zero/1.0/
"""


def said(found: list[Product]) -> str:
    """The page: a line a product, and what was changed."""
    rows = ({"name": p.name, "id": p.id, "creator": p.creator, "licence": p.licence} for p in found)
    return credits(rows) + TAIL


def main(argv: list[str]) -> int:
    """Writes the file."""
    found = products(Path(argv[0]) if argv else DEFAULT)
    write_atomic(OUT, said(found))
    print(f"{OUT}: {len(found)} products")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
