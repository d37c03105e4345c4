"""Makes ``phrases_catalog.json``: what the catalogs' own translations call each kind of product.

    python -m mezzotint.products.phrases_catalog [CATALOG_FOLDER]

The translations are those of the Sweet Home 3D catalogs (CC-BY 3.0 and CC0).
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections import Counter
from pathlib import Path

from mezzotint.files import write_atomic
from mezzotint.products.catalog import DEFAULT, PROPERTIES, archives, count, properties, table_of
from mezzotint.products.vocabulary import vocabulary

SAME = {"zh_CN": "zh", "zh_TW": "zh", "pt_PT": "pt", "en_US": ""}
"""Files that go into another language's table."""


def translated(folder: Path) -> dict[str, dict[str, str]]:
    """Language -> name -> kind; a name that products of several kinds have goes to the most frequent one.

    Names that nobody translated are left out.
    """
    votes: dict[str, dict[str, Counter[str]]] = {}
    for archive in archives(folder):
        english = properties(archive, "")
        for language in _languages(archive):
            code = SAME.get(language, language)
            if not code:
                continue
            table = properties(archive, language)
            for i in range(1, count(english) + 1):
                row, name = table_of(english, i), table.get(f"name#{i}", "").strip()
                if name and name != row["name"] and vocabulary().keeps(row["name"], row["category"]):
                    kind = vocabulary().class_of(row["name"], row["category"])
                    votes.setdefault(code, {}).setdefault(name.lower(), Counter())[kind] += 1
    return {
        code: {name: kinds.most_common(1)[0][0] for name, kinds in sorted(names.items()) if len(name) > 1}
        for code, names in sorted(votes.items())
    }


def _languages(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as pack:
        names = [n.removesuffix(".properties") for n in pack.namelist() if n.startswith(PROPERTIES + "_")]
    return [n.removeprefix(PROPERTIES + "_") for n in names]


def main(argv: list[str]) -> int:
    """Writes the file beside this one."""
    made = translated(Path(argv[0]) if argv else DEFAULT)
    path = Path(__file__).with_name("phrases_catalog.json")
    write_atomic(path, json.dumps(made, ensure_ascii=False, indent=0, sort_keys=True) + "\n")
    print(f"{sum(map(len, made.values()))} names in {len(made)} languages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
