"""Fetches photographs to tune with from the package registries that you have configured; nothing of them ships here.

    python examples/fetch_photos.py FOLDER [shop] [icons] [stamps]

shop    54 photographs of a sample shop (npm, @vendure/create): FOLDER/shop/<product>/, one each, and products.csv
icons   256 px icons on transparency (npm, @lobehub/fluent-emoji-3d, MIT): FOLDER/icons/<group>/<name>.webp
stamps  pictures of things on transparency (Debian, tuxpaint-stamps-default, 161 MB): FOLDER/stamps/<kind>/<name>.png

Without names: shop and icons.  ``npm pack`` and ``apt-get download`` fetch, so the registries are the user's own; what
comes is one version whose SHA-256 is written here, and anything else is refused.  The pictures have licences of their
own: the shop's are named for their photographers on Unsplash, in a package that says GPL-3.0-or-later; the stamps' are
in their package's copyright file.  This is no command of Mezzotint, whose ``pull`` alone opens sockets.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


class RefusedError(Exception):
    """A package that cannot be had, or is not the one that is named here."""


@dataclass(frozen=True)
class Package:
    """One file of a registry.   fetch: the words of the client that writes it into its working directory."""

    fetch: tuple[str, ...]
    sha256: str

    def into(self, folder: Path) -> Path:
        """The file.   Raises RefusedError."""
        try:
            done = subprocess.run(self.fetch, cwd=folder, capture_output=True, text=True)
        except FileNotFoundError as error:
            raise RefusedError(f"{self.fetch[0]} is not installed; {' '.join(self.fetch)} fetches these") from error
        (file, *_) = (*folder.glob("*.tgz"), *folder.glob("*.deb"), None)
        if done.returncode or file is None:
            said = (done.stderr or done.stdout).strip().splitlines() or ["nothing came"]
            raise RefusedError(f"{' '.join(self.fetch)} failed: {said[-1]}")
        return self.checked(file)

    def checked(self, file: Path) -> Path:
        """The same file.   Raises RefusedError for other bytes than expected."""
        with file.open("rb") as read:
            found = hashlib.file_digest(read, "sha256").hexdigest()
        if found != self.sha256:
            raise RefusedError(f"{file.name} has SHA-256 {found}; expected {self.sha256}: nothing of it is used")
        return file


def npm(name: str, sha256: str) -> Package:
    """A package of npm, by name and version."""
    return Package(("npm", "pack", "--silent", name), sha256)


SHOP = npm("@vendure/create@3.7.3", "89f0a9ce225c44b7f9fc07a85bca655f98c48bbb7f3aa06ae0e9c04ce5db0af7")
ICONS = npm("@lobehub/fluent-emoji-3d@1.1.0", "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58")
NAMES = npm("openmoji@17.0.0", "55ee7d13485dec86e9f38c1f3a645a13382d33ff97c0cd845ee824b0aef45e68")
STAMPS = Package(
    ("apt-get", "download", "tuxpaint-stamps-default=2022.06.04-1"),
    "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34",
)


def members(package: Path) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of the files of an npm package."""
    with tarfile.open(package) as archive:
        for member in archive:
            read = archive.extractfile(member) if member.isfile() else None
            if read is not None:
                yield member.name, read.read()


def written(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def slug(text: str) -> str:
    """A name for a file."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def shop(out: Path, place: Path) -> int:
    """Photographs of products, each in a folder by the product's slug, and the table of the shop's variants."""
    files = {PurePosixPath(path).name: data for path, data in members(SHOP.into(place)) if "/assets/" in path}
    head, *rows = csv.reader(io.StringIO(files["products.csv"].decode(), newline=""))
    table = [dict(zip((h.strip() for h in head), (v.strip() for v in row), strict=False)) for row in rows]
    written(out / "products.csv", files["products.csv"])
    products = [row for row in table if row.get("name")]  # the rest are variants of the one before
    for row in products:
        for name in row["assets"].split("|"):
            written(out / row["slug"] / name, files[name])
    return sum(len(row["assets"].split("|")) for row in products)


def icons(out: Path, place: Path) -> int:
    """Icons by the group and the name that openmoji has for their code points."""
    (other := place / "names").mkdir()
    data = next(data for path, data in members(NAMES.into(other)) if path.endswith("data/openmoji.json"))
    known = {one["hexcode"].lower(): one for one in json.loads(data)}
    count = 0
    for path, picture in members(ICONS.into(place)):
        one = known.get(Path(path).stem) if path.endswith(".webp") else None
        if one is not None:
            written(out / one["group"] / f"{slug(one['annotation'])}-{one['hexcode'].lower()}.webp", picture)
            count += 1
    return count


def stamps(out: Path, place: Path) -> int:
    """Pictures of the package that are pixels, by its own folders."""
    file = STAMPS.into(place)
    subprocess.run(("dpkg-deb", "--extract", file, place / "all"), check=True)
    root = place / "all/usr/share/tuxpaint/stamps"
    found = [path for path in sorted(root.rglob("*.png")) if path.is_file()]
    for path in found:
        written(out / path.relative_to(root), path.read_bytes())
    return len(found)


SETS: dict[str, Callable[[Path, Path], int]] = {"shop": shop, "icons": icons, "stamps": stamps}


def main(argv: list[str] | None = None) -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("sets", nargs="*", metavar="SET", help="shop, icons, stamps  [shop icons]")
    given = asked.parse_args(argv)
    if unknown := set(given.sets) - set(SETS):
        asked.error(f"no set {', '.join(sorted(unknown))}; expected {', '.join(SETS)}")
    for name in given.sets or ("shop", "icons"):
        if (given.folder / name).exists():
            print(f"{given.folder / name} is there already and stays as it is")
            continue
        try:
            with tempfile.TemporaryDirectory(dir=given.folder.parent) as place:
                count = SETS[name](Path(place) / "out", Path(place))
                given.folder.mkdir(exist_ok=True)
                (Path(place) / "out").rename(given.folder / name)  # whole or not at all
        except RefusedError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        print(f"{count} pictures in {given.folder / name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
