"""One evaluation and one training picture of our networks beside diffusers', at equal arithmetic.

The U-Nets agree within 10 % in parameters and FLOPs.  The transformers agree within 10 % in FLOPs and in the parameters
that tokens pass through; diffusers' has half as many again in a modulation of its own for each block, applied once a
picture, which ours shares: both totals are printed.  FLOPs are counted by torch.utils.flop_counter on both.

The first ratio is against the peer as it comes (float32); the second against its best of bfloat16, channels_last,
autocast, and torch.compile of the fastest of these.  Training is forward, squared error and backward.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness
import peers
from harness import Comparison, Usage

CLASSES = 10
TOLERANCE = 0.10


@dataclass(frozen=True)
class Contest:
    """A network of ours and its peer.

    target: ratio ours/peer at the peer's default.  counted: names of modules whose parameters must agree, of ours and
    of the peer; empty for all.
    """

    name: str
    ours: Callable[[], Any]
    peer: Callable[[], Any]
    target: float
    counted: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


@dataclass(frozen=True)
class Setting:
    """How a peer runs: dtype of its weights, autocast, memory format, compiled or not."""

    name: str
    bf16: bool = False
    autocast: bool = False
    channels_last: bool = False
    compiled: bool = False


DEFAULT = Setting("default")
SETTINGS = (
    Setting("channels_last", channels_last=True),
    Setting("bf16", bf16=True),
    Setting("bf16+channels_last", bf16=True, channels_last=True),
    Setting("autocast", autocast=True),
    Setting("autocast+channels_last", autocast=True, channels_last=True),
)


def our_dit(size: int, patch: int, width: int, depth: int) -> Any:
    """Ours, labels included."""
    from mezzotint.nets.build import build
    from mezzotint.nets.config import DiTConfig

    heads = max(1, width // 64)
    config = DiTConfig(size=(size, size), patch=patch, width=width, depth=depth, heads=heads, num_classes=CLASSES)
    return build(config)


def our_unet(width: int) -> Any:
    """Ours, labels included."""
    from mezzotint.nets.build import build
    from mezzotint.nets.config import UNetConfig

    return build(UNetConfig(width=width, head_dim=min(64, width), num_classes=CLASSES))


def contests(width: int, depth: int, unet_width: int) -> tuple[Contest, ...]:
    """Two patch sizes of the transformer, and the U-Net."""
    tokens = (("blocks.",), (".attn1.", ".ff."))
    transformers = tuple(
        Contest(
            f"dit/{patch}",
            partial(our_dit, 28, patch, width, depth),
            partial(peers.dit, width, depth, max(1, width // 64), 28, patch, CLASSES),
            1 / 2,
            tokens,
        )
        for patch in (2, 4)
    )
    peer_unet = Contest("unet", lambda: our_unet(unet_width), lambda: peers.unet(unet_width), 1 / 1.5)
    return (*transformers, peer_unet)


def counted(net: Any, names: tuple[str, ...]) -> int:
    """Parameters of the modules whose names contain one of ``names``; all for none."""
    return sum(p.numel() for k, p in net.named_parameters() if not names or any(n in k for n in names))


def our_call(net: Any, batch: int, dtype: Any) -> Callable[[], Any]:
    """One call of ours: (x, c_noise, cond)."""
    import torch

    x = torch.randn(batch, 1, 28, 28).to(dtype)
    noise, label = torch.linspace(-3, 3, batch), torch.arange(batch) % CLASSES
    return lambda: net(x, noise, {"label": label})


def peer_call(net: Any, batch: int, dtype: Any) -> Callable[[], Any]:
    """One call of diffusers': (sample, timestep, class_labels)."""
    import torch

    x = torch.randn(batch, 1, 28, 28).to(dtype)
    t, label = torch.linspace(10, 990, batch).long(), torch.arange(batch) % CLASSES
    return lambda: net(x, t, class_labels=label, return_dict=False)[0]


def flops(call: Callable[[], Any]) -> int:
    """Multiply-adds times two, with attention written out so that it is counted."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        call()
    return int(counter.get_total_flops())


def equal(what: str, ours: int, peer: int) -> str:
    """Says both; SystemExit where they differ by more than the tolerance, for then the contest is not fair."""
    text = f"{what} {ours:,} : {peer:,} ({ours / peer - 1:+.1%})"
    if abs(ours / peer - 1) > TOLERANCE:
        raise SystemExit(f"the contest is not equal: {text}; change the sizes")
    return text


def check_equal(contest: Contest) -> str:
    """The counts of both sides, equal within the tolerance."""
    import torch

    ours, peer = contest.ours().eval(), contest.peer().eval()
    here, there = contest.counted
    label = "parameters" if not here else "parameters that tokens pass"
    parts = [equal(label, counted(ours, here), counted(peer, there))]
    f32 = torch.float32
    parts.append(equal("FLOPs", flops(our_call(ours, 1, f32)), flops(peer_call(peer, 1, f32))))
    if here:
        parts.append(f"all parameters {peers.parameters(ours):,} : {peers.parameters(peer):,}")
    return "; ".join(parts)


def step(net: Any, call: Callable[[], Any]) -> Callable[[], None]:
    """Forward, mean square, backward, for a call of ``net``."""

    def work() -> None:
        net.zero_grad(set_to_none=True)
        call().float().square().mean().backward()

    return work


def our_work(contest: Contest, mode: str, batch: int, dtype: Any) -> Callable[[], object]:
    """Ours as it runs: frozen weights for an evaluation, autocast over float32 weights for training."""
    import torch

    from mezzotint.nets.build import freeze

    if mode == "evaluation":
        frozen = freeze(contest.ours(), dtype)
        return torch.inference_mode()(our_call(frozen, batch, torch.float32))
    net = contest.ours().train()
    work = step(net, our_call(net, batch, torch.float32))
    return torch.autocast("cpu", dtype, enabled=dtype != torch.float32)(work)


def peer_work(contest: Contest, mode: str, batch: int, setting: Setting) -> Callable[[], object]:
    """The peer in one of its settings."""
    import torch

    dtype = torch.bfloat16 if setting.bf16 else torch.float32
    net = contest.peer().to(dtype)
    net = net.to(memory_format=torch.channels_last) if setting.channels_last else net
    net = net.eval() if mode == "evaluation" else net.train()
    called = torch.compile(net) if setting.compiled else net
    call = peer_call(called, batch, dtype)
    work = torch.no_grad()(call) if mode == "evaluation" else step(net, call)
    return torch.autocast("cpu", torch.bfloat16, enabled=setting.autocast)(work)


def per_picture(work: Callable[[], object], batch: int, rounds: int) -> Callable[[], Usage]:
    """The cost a picture over ``rounds`` calls."""

    def run() -> Usage:
        used = harness.timed(lambda: [work() for _ in range(rounds)])
        return Usage(used.cpu / rounds / batch, used.wall / rounds / batch)

    return run


@dataclass(frozen=True)
class Plan:
    """How much is measured.  half: whether bfloat16 is fast here."""

    repeats: int
    rounds: int
    threads: int
    half: bool
    compiled: bool

    def pair(
        self, ours: Callable[[], object], theirs: Callable[[], object], batch: int
    ) -> tuple[list[float], list[float]]:
        """Milliseconds a picture of either; CPU time for one thread, wall time for several."""
        rounds = max(1, self.rounds // batch)
        a, b = harness.alternate(per_picture(ours, batch, rounds), per_picture(theirs, batch, rounds), self.repeats)
        clock = (lambda u: u.cpu * 1e3) if self.threads == 1 else (lambda u: u.wall * 1e3)
        return [clock(u) for u in a], [clock(u) for u in b]


def contend(contest: Contest, mode: str, batch: int, plan: Plan) -> list[Comparison]:
    """Two rows: the peer at its default, and at its best."""
    import torch

    from mezzotint.nets.precision import best_dtype

    ours = our_work(contest, mode, batch, best_dtype("cpu") if plan.half else torch.float32)
    found: dict[Setting, tuple[list[float], list[float]]] = {}

    def against(setting: Setting) -> None:
        found[setting] = plan.pair(ours, peer_work(contest, mode, batch, setting), batch)

    for setting in (DEFAULT, *(s for s in SETTINGS if plan.half or not (s.bf16 or s.autocast))):
        against(setting)
    fastest = min(found, key=lambda s: min(found[s][1]))
    if plan.compiled:
        values = {**vars(fastest), "name": f"compile+{fastest.name}", "compiled": True}
        against(Setting(**values))
    best = min(found, key=lambda s: min(found[s][1]))
    name = f"{contest.name} {mode} batch {batch}"
    target = contest.target if plan.half else None
    return [
        harness.compare(f"{name} / default", "ms a picture", *found[DEFAULT], target),
        harness.compare(f"{name} / best", "ms a picture", *found[best], None, f"peer {best.name}"),
    ]


def main(argv: list[str] | None = None) -> int:
    """Runs it."""
    parser = harness.arguments(__doc__ or "", 7)
    parser.add_argument("--rounds", type=int, default=16, help="pictures a measurement, at least")
    parser.add_argument("--width", type=int, default=256, help="of the transformers")
    parser.add_argument("--depth", type=int, default=8, help="of the transformers")
    parser.add_argument("--unet-width", type=int, default=64)
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 16])
    parser.add_argument("--only", nargs="*", default=["dit/2", "dit/4", "unet"])
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    given = parser.parse_args(argv)
    harness.use_threads(given.threads)
    import torch

    from mezzotint.nets.precision import best_dtype

    half = best_dtype("cpu") == torch.bfloat16
    compiled = not given.no_compile and shutil.which("g++") is not None
    plan = Plan(given.repeats, given.rounds, given.threads, half, compiled)
    rows: list[Comparison] = []
    more: dict[str, Any] = {"bf16": "fast here" if half else "not fast here: float32 on both sides, no target claimed"}
    for contest in contests(given.width, given.depth, given.unet_width):
        if contest.name not in given.only:
            continue
        more[contest.name] = check_equal(contest)
        print(f"{contest.name}: {more[contest.name]}", flush=True)
        for batch in given.batches:
            for mode in ("evaluation", "training"):
                rows += contend(contest, mode, batch, plan)
    settings = {k: v for k, v in vars(given).items() if k != "out"}
    settings["clock"] = "CPU" if given.threads == 1 else "wall"
    return harness.finish(harness.Outcome("network", harness.machine(given.threads), settings, rows, more), given.out)


if __name__ == "__main__":
    sys.exit(main())
