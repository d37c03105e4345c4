"""A small catalog in the Sweet Home 3D format: real files, made on the spot."""

from __future__ import annotations

import importlib.util
import os
import sys
import zipfile
from ctypes.util import find_library
from pathlib import Path

CUBE = """mtllib {name}.mtl
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 0 0 1
v 1 0 1
v 1 1 1
v 0 1 1
usemtl body
f 1 4 3 2
f 5 6 7 8
f 1 2 6 5
f 4 8 7 3
f 1 5 8 4
usemtl side
f 2 3 7 6
"""
MATERIALS = """newmtl body
Kd 0.8 0.8 0.8
Ks 0 0 0
d 1
newmtl side
Kd 0.1 0.6 0.1
d 1
"""
HEAD = "id=Test\nname=Test catalog\nlicense=CC0\n\n"
ENTRY = """id#{i}=Test#{model}
name#{i}={name}
category#{i}={category}
model#{i}=/test/{model}/{model}.obj
width#{i}=60.0
depth#{i}=50.0
height#{i}={height}
elevation#{i}={elevation}
creator#{i}=Somebody
"""


def catalog(folder: Path, entries: list[dict[str, object]], *, objects: dict[str, str] | None = None) -> Path:
    """Writes folder/Test.sh3f with entries of name, category, model …; a model is a cube unless ``objects`` says
    otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    table = HEAD
    with zipfile.ZipFile(folder / "Test.sh3f", "w") as pack:
        for i, entry in enumerate(entries, 1):
            full = {"category": "Living room", "height": 80.0, "elevation": 0.0, **entry}
            table += ENTRY.format(i=i, **full) + "\n"
            model = str(full["model"])
            pack.writestr(f"test/{model}/{model}.obj", (objects or {}).get(model, CUBE.format(name=model)))
            pack.writestr(f"test/{model}/{model}.mtl", MATERIALS)
        pack.writestr("PluginFurnitureCatalog.properties", table.encode("latin-1", "backslashreplace"))
    return folder


NEEDS = "photographing needs pip install 'mezzotint[render]' and the system library libosmesa6"


def can_render() -> bool:
    """Whether products can be photographed here."""
    screen = not sys.platform.startswith("linux") or "DISPLAY" in os.environ or find_library("OSMesa") is not None
    return screen and importlib.util.find_spec("pyvista") is not None
