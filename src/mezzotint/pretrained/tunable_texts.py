"""A system's text encoders as training sees them: beside the network that they tell, with what is learnt on them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mezzotint.conditioning.vocabulary import Learning
from mezzotint.diffusion.denoiser import Cond
from mezzotint.errors import UsageError
from mezzotint.nets.adapters.lora import Layer
from mezzotint.nets.shared import put, shared
from mezzotint.pretrained.embeddings import Learned
from mezzotint.pretrained.families.legible import Legible, legible
from mezzotint.pretrained.system import System

ATTENTION = re.compile(r"\.self_attn\.(q|k|v|out)_proj$")
"""The layers of a text encoder that adapters go on."""


VOCABULARIES = ("token_embedding", "words")
"""How the paths of tables of tokens end: CLIP's, and our own encoder's."""


class Reading(nn.Module):
    """A network that is told tokens: its text encoders read them first, and what they make of them is learnt from."""

    def __init__(self, net: nn.Module, texts: Mapping[str, nn.Module], reads: Legible) -> None:
        super().__init__()
        self.net, self.texts, self._reads = net, nn.ModuleDict(texts), reads

    def forward(self, x: Tensor, c_noise: Tensor, cond: Cond) -> Tensor:
        y: Tensor = self.net(x, c_noise, self._reads.cond(self.texts.__getitem__, cond))
        return y


@dataclass(frozen=True, eq=False)
class Texts:
    """reads: how captions are read.  networks: of each encoder, frozen."""

    reads: Legible
    networks: Mapping[str, nn.Module]

    def beside(self, net: nn.Module, texts: Mapping[str, nn.Module] | None = None) -> nn.Module:
        """A network with the encoders before it, or with what was made of them."""
        return Reading(net, self.networks if texts is None else texts, self.reads)

    @property
    def sha256(self) -> tuple[str, ...]:
        """Of each encoder's weights."""
        return tuple(self.reads.sha256.values())

    @property
    def paths(self) -> Mapping[str, tuple[str, ...]]:
        """The layers of each encoder that are adapted."""
        return {name: _paths(network) for name, network in self.networks.items()}

    def start(self, word: str, many: int) -> dict[str, Tensor]:
        """(many, D) float32 of each encoder: the vectors of a word's own tokens, over and over.

        Raises UsageError for a word of no tokens.
        """
        return {name: _start(self.reads.spelled(name, word), net, word, many) for name, net in self.networks.items()}

    def learning(self, start: Mapping[str, Tensor]) -> dict[str, nn.Module]:
        """The encoders with the vectors of one more word, which are learnt; each shares all else with its own."""
        return {name: _learning(network, start[name]) for name, network in self.networks.items()}


def _paths(network: nn.Module) -> tuple[str, ...]:
    layers = [path for path, layer in network.named_modules() if isinstance(layer, Layer)]
    return tuple(path for path in layers if ATTENTION.search(path))


def _embedding(network: nn.Module) -> tuple[str, nn.Embedding]:
    return next((p, m) for p, m in network.named_modules() if p.endswith(VOCABULARIES) and isinstance(m, nn.Embedding))


def _start(ids: Sequence[int], network: nn.Module, word: str, many: int) -> Tensor:
    if not ids:
        raise UsageError(f"{word!r} is nothing to a text encoder; give a word with --initial")
    known = _embedding(network)[1].weight.detach().float()
    return known[[ids[k % len(ids)] for k in range(many)]]


def _learning(network: nn.Module, start: Tensor) -> nn.Module:
    made = shared(network.requires_grad_(False))
    path, base = _embedding(network)
    put(made, path, Learning(base, start))
    return made


def tunable_texts(system: System, learned: tuple[Learned, ...], device: str, dtype: torch.dtype) -> Texts:
    """A system's text encoders on a device in a number format, which know some words beside their own.

    Raises UsageError for a family whose encoders are not learnt on.
    """
    reads = legible(system, learned)
    return Texts(reads, {name: reads.network(name, device, dtype) for name in reads.sha256})


def vectors_in(net: nn.Module, values: Callable[[str], Tensor]) -> dict[str, Tensor]:
    """Encoder -> the vectors that were learnt, float32 on the CPU.

    net: with a ``Reading`` of encoders that learn.  values: a parameter by its name in ``net``.
    """
    found = {name: module for name, module in net.named_modules() if isinstance(module, Learning)}
    encoder = {name: name.split(".texts.")[1].partition(".")[0] for name in found}
    return {encoder[name]: values(f"{name}.vectors").detach().float().cpu().clone() for name in found}
