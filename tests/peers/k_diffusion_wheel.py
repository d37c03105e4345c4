"""k-diffusion's sampling module alone, read out of its wheel (MIT licence), without installing the package.

The package depends on torchvision, kornia, wandb and numpy < 2, none of which its samplers use.  ``python
tests/peers/k_diffusion_wheel.py`` fetches the one wheel into this environment's share/peers folder, once, and checks
its hash.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import Tensor

from mezzotint.diffusion.level import expand

REQUIREMENT = "k-diffusion==0.1.1.post1"
SHA256 = "b4bdcc74e35dd66df5d25433ea76b19edeaeaf2aad05ed97438be447cf4f5ee1"
FOLDER = Path(sys.prefix) / "share" / "peers"
WHEEL = FOLDER / "k_diffusion-0.1.1.post1-py3-none-any.whl"


def fetch() -> Path:
    """The wheel's path, downloaded if it is not there.

    Raises CalledProcessError or (another file) ValueError.
    """
    if not WHEEL.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:")
        subprocess.run((*command, "--dest", str(FOLDER), REQUIREMENT), check=True)
    found = hashlib.sha256(WHEEL.read_bytes()).hexdigest()
    if found != SHA256:
        raise ValueError(f"{WHEEL.name} has SHA-256 {found}, expected {SHA256}; delete it and run this again")
    return WHEEL


def _unused(*args: Any, **kwargs: Any) -> None:
    raise AssertionError("not a part of what the tests compare")


def _module(name: str, **names: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(names)
    return module


def _append_dims(sigma: Tensor, ndim: int) -> Tensor:
    return sigma if sigma.ndim == 0 else expand(sigma, sigma.new_empty((1,) * ndim))


@contextmanager
def _imports() -> Iterator[None]:
    """What the module imports and the comparison does not reach: its noise trees, its likelihood, its package's
    utilities.
    """
    utils = _module("k_diffusion.utils", append_dims=_append_dims)
    package = _module("k_diffusion", __path__=[], utils=utils)
    stand_in = {
        "k_diffusion": package,
        "k_diffusion.utils": utils,
        "torchdiffeq": _module("torchdiffeq", odeint=_unused),
        "torchsde": _module("torchsde", BrownianTree=_unused),
    }
    before = {name: sys.modules.get(name) for name in stand_in}
    sys.modules.update(stand_in)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def load() -> ModuleType:
    """k_diffusion.sampling, from the wheel that ``fetch`` left."""
    source = zipfile.ZipFile(fetch()).read("k_diffusion/sampling.py").decode()
    sampling = _module("k_diffusion.sampling", __package__="k_diffusion")
    with _imports():
        exec(compile(source, f"{WHEEL.name}/k_diffusion/sampling.py", "exec"), vars(sampling))
    return sampling


if __name__ == "__main__":
    print(fetch().name)
