"""What all tests share: no network; and a model folder of the real kind, tiny and untrained."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = ("127.0.0.1", "::1", "localhost", "", None)
"""This machine, to which servers that tests start listen."""


def only_here(real: Callable[..., Any], host_of: Callable[[Any], object]) -> Callable[..., Any]:
    """The same function of sockets; another machine fails the test, in a way that no ``except Exception`` hides."""

    def call(*arguments: Any, **words: Any) -> Any:
        host = host_of(arguments)
        if host not in HERE:
            pytest.fail(f"a test wants to talk to {host}; tests use no network")
        return real(*arguments, **words)

    return call


def _host(arguments: Any) -> object:
    """Of ``connect(self, address)``; sockets of this machine's own kind have a path for an address."""
    return arguments[1][0] if isinstance(arguments[1], tuple) else None


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", only_here(socket.getaddrinfo, lambda arguments: arguments[0]))
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, only_here(getattr(socket.socket, name), _host))
        yield


@pytest.fixture(scope="session", autouse=True)
def small_model() -> Iterator[None]:
    """Commands that name no model take the smallest that ships: what they do with it is what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEZZOTINT_MODEL", "fashion")
        yield


@pytest.fixture(scope="session", autouse=True)
def own_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests make is not entered in the ledger of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEZZOTINT_LEDGER", str(tmp_path_factory.mktemp("ledger") / "ledger.sqlite"))
        yield


def save_tiny(folder: Path, labels: tuple[str, ...] = ("T-shirt/top", "Sneaker", "Ankle boot"), seed: int = 0) -> Path:
    """A DiT of a few thousand random weights, 8 x 8 grey pictures, saved as ``save_model`` saves any."""
    import torch

    from mezzotint.nets.build import build, config_to_dict
    from mezzotint.nets.config import DiTConfig
    from mezzotint.pretrained.folder import save_model
    from mezzotint.pretrained.spec import Card, Label, Sampling, Spec

    classes = len(labels) or None
    config = DiTConfig(size=(8, 8), patch=2, width=32, depth=1, heads=1, num_classes=classes)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        weights = build(config).state_dict()
    weights = {
        k: w + 0.1 * torch.randn(w.shape, generator=generator) if w.is_floating_point() else w
        for k, w in weights.items()
    }
    spec = Spec(
        net=config_to_dict(config),
        parametrisation={"name": "flow"},
        schedule={"name": "flow"},
        codec={"name": "pixels"},
        shape=(1, 8, 8),
        sampling={
            "draft": Sampling("dpm++2m", {"name": "uniform"}, 2),
            "standard": Sampling("dpm++2m", {"name": "uniform"}, 4, 1.5 if labels else 1.0),
        },
        card=Card("Tiny", "Untrained, for tests.", "CC0-1.0", seed=seed),
        labels=tuple(Label(name, ("tee",) if name.startswith("T") else ()) for name in labels),
    )
    save_model(folder, weights, spec, torch.bfloat16)
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny class-conditional model."""
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def plain_tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny unconditional model."""
    return save_tiny(tmp_path_factory.mktemp("models") / "plain", labels=())


def standing_for(argument: str, there: Mapping[str, Path]) -> str:
    """An argument with the files that its words stand for: WORD, --option=WORD or --option=WORD:weight."""
    option, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
    name, colon, rest = value.partition(":")
    return f"{option}{equals}{there.get(name, name)}{colon}{rest}"


def pictures_in(folder: Path) -> list[Path]:
    """Without the sheet, by name."""
    return sorted(path for path in folder.glob("*.png") if path.name != "sheet.png")


@pytest.fixture
def made_again(tmp_path: Path) -> Callable[[Sequence[str], Mapping[str, Path]], list[list[str]]]:
    """Makes pictures by a command, and each again by the command that ``read`` gives, with the files that it needs at
    hand: the files of both must be equal to the byte.   -> the arguments of each."""
    from click.testing import CliRunner

    from mezzotint.cli import group
    from mezzotint.making.recalled.read import read

    def run(words: Sequence[str], out: Path) -> list[Path]:
        done = CliRunner().invoke(group, [words[0], "--quiet", f"--out={out}", *words[1:]], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return pictures_in(out)

    def check(words: Sequence[str], there: Mapping[str, Path]) -> list[list[str]]:
        said, place = [], tmp_path / f"made-{len(list(tmp_path.iterdir()))}"
        for k, picture in enumerate(run([standing_for(word, there) for word in words], place / "first")):
            found = read(picture)
            assert {need.word for need in found.needs} <= set(there), found.needs
            arguments = [standing_for(word, there) for word in found.arguments]
            again = run(arguments, place / f"again-{k}")
            assert picture.read_bytes() in [other.read_bytes() for other in again], found.command
            said.append(found.arguments)
        return said

    return check
