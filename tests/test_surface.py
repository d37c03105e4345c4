"""The public surface: names, imports, the command line, and that nothing calls home.  A change here is a decision."""

import ast
import dataclasses
import inspect
import json
import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

import mezzotint

SOURCE = Path(mezzotint.__file__).parent
HEAVY = ("torch", "numpy", "PIL", "scipy", "tqdm", "diffusers", "transformers", "click", "platformdirs")

PUBLIC = [
    "Calibration",
    "Distillation",
    "Evaluated",
    "Explanation",
    "Frontier",
    "Guide",
    "Image",
    "Job",
    "MezzotintError",
    "Model",
    "Progress",
    "Replayed",
    "Request",
    "Result",
    "Sampling",
    "Tuned",
    "Verified",
    "__version__",
    "calibrate",
    "distill",
    "evaluate",
    "explain",
    "export",
    "frontier",
    "generate",
    "guide",
    "inspect",
    "load",
    "models",
    "noise",
    "prepare",
    "read",
    "render",
    "replay",
    "settings",
    "stream",
    "tune",
    "upscale",
    "vary",
    "verify",
]

SHARED = ["--json", "--quiet"]
SAMPLING = ["--quality", "--steps", "--scale", "--solver", "--grid"]
GUIDANCE = ["--guidance-interval", "--guidance", "--cache"]
RANKER = ["--candidates", "--classifier-scale"]
MACHINE = ["--device", "--dtype", "--threads"]
EVALUATION = [
    *["--data", "-n/--n", "--metrics", "--features", "--seed", *SAMPLING, *GUIDANCE, *RANKER, *MACHINE],
    *["--batch", "--out", *SHARED],
]
CATALOG = [
    *["MANIFEST", "--brief", "--pictures", "--use", "--licence-mode", "--model", "--seed", *SAMPLING],
    *[*RANKER, "--strength"],
    *["--budget", "--per-hour", "--probe", *MACHINE, "--mark", "--batch", "--out", "--ledger", *SHARED],
]
OPTIONS = {
    "generate": [
        *["PROMPT...", "--negative-prompt", "--prompt-2", "--prompt-3", "--negative-prompt-2", "--negative-prompt-3"],
        *[
            "--use",
            "--licence-mode",
            "--strict",
            "--model",
            "--parts",
            "-n/--n",
            "--seed",
            *SAMPLING,
            *GUIDANCE,
            *RANKER,
        ],
        *["--size", "--lora"],
        *["--embedding", "--control", "--control-image", "--ip-adapter", "--ip-image", "--ip-encoder"],
        *["--allow-partial", "--refiner", "--refiner-at", "--prior", "--then", "--image", "--strength"],
        *[
            "--mask",
            "--mask-means",
            "--lock-mask",
            "--outpaint",
            *MACHINE,
            "--offload",
            "--compile",
            "--batch",
            "--out",
            "--mark",
            "--embed-prompt",
        ],
        *["--film", *SHARED],
    ],
    "upscale": [
        *["PICTURE", "--prompt", "--negative-prompt", "--model", "--by", "--strength", "--noise-level", "--tile"],
        *["--overlap", "-n/--n", "--seed", *SAMPLING, *MACHINE, "--batch", "--out", "--mark", *SHARED],
    ],
    "vary": [
        *[
            "PICTURE",
            "OTHER",
            "--model",
            "-n/--n",
            "--seed",
            *SAMPLING,
            *MACHINE,
            "--batch",
            "--out",
            "--mark",
            *SHARED,
        ],
    ],
    "noise": ["IMAGE", "--schedule", "-n/--n", "--seed", "--out", *SHARED],
    "calibrate": [
        *["MODEL", "--calls", "--scale", "--prompts", "--rows", "--updates", "--teacher", "--loss", "--seed"],
        *[*MACHINE, *SHARED],
    ],
    "guide": [
        *["MODEL", "--scale", "--guidance-interval", "--prompts", "--updates", "--batch", "--rank", "--rate", "--seed"],
        *[*MACHINE, *SHARED],
    ],
    "distill": [
        *["MODEL", "--calls", "--by", "--as", "--data", "--prompts", "--scale", "--updates", "--batch", "--rate"],
        *["--rows", "--teacher", "--rank", "--last", "--loss", "--q", "--snapshot", "--seed", "--resume", "--out"],
        *[*MACHINE, *SHARED],
    ],
    "frontier": [
        *["MODEL", "--solver", "--steps", "--scale", "--prompts", "-n/--n", "--exact", "--seed", *MACHINE],
        *["--out", *SHARED],
    ],
    "evaluate": ["MODEL", *EVALUATION],
    "compare": ["MODEL...", *EVALUATION],
    "models": ["--families", "--json"],
    "licence": [
        *[
            "MODEL",
            "--lora",
            "--embedding",
            "--control",
            "--ip-adapter",
            "--ip-encoder",
            "--refiner",
            "--prior",
            "--then",
        ],
        *["--parts", "--use", "--stage", "--delivery", "--revenue", "--territory", "--records", "--json"],
    ],
    "check": [
        *["FILES...", "--prompt", "--negative-prompt", "--caption", "--file-name", "--trigger", "--text", "--explain"],
        *["--hash-names", "--category", "--out", "--json"],
    ],
    "protect": ["PICTURES...", "--as", "--forget", *SHARED],
    "pull": ["ID", "--variant", "--file", "--name", *SHARED],
    "convert": ["PATH", "--to", "--base", "--rank", "--out", "--json"],
    "read": ["FILE", "--json"],
    "inspect": ["FILE", "--json"],
    "explain": ["MODEL", *SAMPLING, "--json"],
    "export": ["MODEL", "--to", "--weights", "--solver", "--grid", "--steps", "--out", *SHARED],
    "config": ["--json"],
    "ab": ["{read}", "RESULTS", "--catalog", "--ledger", "--metric", "--next", "--json"],
    "catalog": [],
    "catalog import": ["--vendure", "--shopify", "--google", "--pictures", "--lock", "--out", "--json"],
    "catalog check": ["MANIFEST", "--brief", "--pictures", "--model", "--json"],
    "catalog plan": [*CATALOG, "--csv"],
    "catalog run": [*CATALOG, "--workers", "--engine", "--gpus", "--ray-address"],
    "catalog status": ["OUT", "--ledger", "--json"],
    "catalog report": ["OUT", "--ledger", *SHARED],
    "catalog pause": ["OUT", "--ledger"],
    "catalog resume": ["OUT", "--ledger"],
    "catalog cancel": ["OUT", "--ledger"],
    "cost": [
        *[
            "spent|plan|compare",
            "PROMPT...",
            "--model",
            "-n/--n",
            *SAMPLING,
            *GUIDANCE,
            *RANKER,
            "--size",
            "--batch",
            "--probe",
            *MACHINE,
        ],
        *["--out", *SHARED],
    ],
    "verify": ["FILE", "--json"],
    "evidence": [
        *["{build|incident}", "FOLDER...", "--out", "--title", "--reporter", "--system", "--description", "--data"],
        *["--date", "--impact", "--stakeholder", "--asset", "--file", "--json"],
    ],
    "replay": ["RECEIPT", "--have", "--picture", *MACHINE, "--solver", "--grid", "--json"],
    "ledger": ["{check}", "--ledger", "--head", "--json"],
    "keys": ["{init|mark|quarantine}", "--organisation", "--years", "--out", "--json"],
    "quarantine": ["{open}", "FILE", "--key", "--out", "--json"],
    "train": [
        *[
            "RECIPE",
            "--data",
            "--data-licence",
            "--out",
            "--resume",
            "--from",
            "--steps",
            "--minutes",
            "--seed",
            "--device",
            "--threads",
        ],
        *["--feeders", "--compile", "--strategy", "--part", "--use", "--licence-mode", "--tensorboard", *SHARED],
    ],
    "tune": [
        *["PHOTOS", "--name", "--class", "--also", "--model", "--size", "--judge-by", "--photo-licence"],
        *["--use", "--licence-mode", "--method"],
        *["--rank", "--rank-at-noise", "--alpha", "--lora-plus", "--text-encoder", "--vectors", "--initial"],
        *["--targets", "--steps", "--batch", "--rate", "--share", "--prior", "--outside", "--moments"],
        *["--prior-pictures", "-n/--n", "--seed", *MACHINE, "--gradient-checkpointing"],
        *["--minutes", "--resume", "--out", *SHARED],
    ],
    "render": ["--catalog", "--out", "-n/--n", "--size", "--seed", "--workers", "--only", *SHARED],
}


def in_a_new_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_public_names() -> None:
    assert sorted(mezzotint.__all__) == PUBLIC == dir(mezzotint)
    for name in PUBLIC:
        value = getattr(mezzotint, name)
        assert name == "__version__" or value.__doc__, f"{name} has no docstring"
    with pytest.raises(AttributeError, match="no attribute 'generat'"):
        mezzotint.generat  # noqa: B018


def test_the_type_checker_sees_the_same_names() -> None:
    tree = ast.parse((SOURCE / "__init__.py").read_text())
    guarded = [n for n in tree.body if isinstance(n, ast.If)]
    names = {alias.asname for n in ast.walk(guarded[0]) if isinstance(n, ast.ImportFrom) for alias in n.names}
    assert names == set(PUBLIC) - {"__version__"}


def test_generate_the_command_and_a_request_have_the_same_words() -> None:
    """And the same defaults, but for what settings say."""
    from mezzotint.cli import group

    said = {p.name: p.default for p in inspect.signature(mezzotint.generate).parameters.values()}
    kinds = (mezzotint.Request, mezzotint.Sampling)
    fields = {f.name: f.default for kind in kinds for f in dataclasses.fields(kind)}
    assert fields.pop("sampling") is dataclasses.MISSING
    assert said.keys() == fields.keys() and said.pop("prompt") is inspect.Parameter.empty
    assert fields.pop("prompt") is dataclasses.MISSING and said == fields
    with click.Context(group) as context:
        command = group.get_command(context, "generate")
    assert command is not None
    options = {p.name for p in command.params} - {"prompt", "out", "embed_prompt", "film", "as_json", "quiet"}
    assert options == set(fields)


def test_tune_the_command_and_the_function_have_the_same_words() -> None:
    """And the same defaults, but for what settings say."""
    from mezzotint.cli import group

    said = {p.name: p.default for p in inspect.signature(mezzotint.tune).parameters.values()}
    with click.Context(group) as context:
        command = group.get_command(context, "tune")
    assert command is not None
    options = {str(p.name): p.to_info_dict()["default"] if p.name != "also" else () for p in command.params}
    assert set(said) - {"watch", "pictured"} == set(options) - {"as_json", "quiet", "minutes"}
    left = {"photos", "name", "model", "out", "device", "watch", "pictured"}
    assert {k: v for k, v in said.items() if k not in left} == {k: options[k] for k in said if k not in left}


def test_the_version_is_the_distributions() -> None:
    from importlib.metadata import version

    assert version("mezzotint") == mezzotint.__version__


def test_import_is_cheap() -> None:
    loaded = in_a_new_process("import mezzotint, sys, json; print(json.dumps(list(sys.modules)))")
    assert not {m.partition(".")[0] for m in json.loads(loaded)} & set(HEAVY)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["generate", "--help"], ["train", "--help"], ["models"]])
def test_help_is_cheap(words: list[str]) -> None:
    code = f"import sys; from mezzotint.cli import run; run({words}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {m.partition(".")[0] for m in done.stderr.splitlines()[-1].split()}
    assert not loaded & (set(HEAVY) - {"click", "platformdirs"})


def test_help_names_every_command() -> None:
    from mezzotint.cli import COMMANDS, catalog, group

    below = {f"catalog {name}" for name in catalog.COMMANDS}
    assert {*COMMANDS, *below} == set(OPTIONS)
    with click.Context(group) as context:
        text = group.get_help(context)
    assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_options_are_frozen(name: str) -> None:
    from mezzotint.cli import group
    from mezzotint.cli.paths import PATH

    command: click.Command | None = group
    for word in name.split():
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    assert command is not None and command.help
    spelled = [
        p.make_metavar(click.Context(command)).strip("[]").replace("]...", "...")
        if isinstance(p, click.Argument)
        else "/".join(p.opts)
        for p in command.params
    ]
    assert spelled == OPTIONS[name]
    assert all(p.help for p in command.params if isinstance(p, click.Option))
    assert {p.type for p in command.params if isinstance(p.type, click.Path | click.File)} <= {PATH}


def test_tests_talk_to_this_machine_alone() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"talk to hub\.invalid; tests use no network"):
        socket.getaddrinfo("hub.invalid", 443)
    with socket.socket() as s, pytest.raises(pytest.fail.Exception, match=r"talk to 192\.0\.2\.1"):
        s.connect(("192.0.2.1", 80))


def test_no_socket_is_opened(tiny: Path, tmp_path: Path) -> None:
    """A whole ``generate`` under an audit hook that ends the process at the first address it would talk to."""
    code = (
        "import sys, os\n"
        "def watch(event, args):\n"
        " if event in ('socket.connect', 'socket.bind', 'socket.getaddrinfo', 'socket.sendto'):\n"
        "  os.write(2, event.encode()); os._exit(99)\n"
        "sys.addaudithook(watch)\n"
        "from mezzotint.cli import main; main()\n"
    )
    words = ["generate", "sneaker", "--model", str(tiny), "--quiet", "--film", "--out", str(tmp_path / "o")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "o" / "sneaker-0.png").is_file()


def calls_of(path: Path) -> set[str]:
    """The dotted names that a file calls."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_nothing_unpickles_or_evaluates() -> None:
    forbidden = {"torch.load", "pickle.load", "pickle.loads", "eval", "exec", "hasattr", "os.system"}
    found = {str(p.relative_to(SOURCE)): calls_of(p) & forbidden for p in SOURCE.rglob("*.py")}
    confined = {"pretrained/unpickle.py": {"torch.load"}}  # a process of its own, with a closed set of names
    assert {name: calls for name, calls in found.items() if calls} == confined


def test_a_tilde_is_read_in_one_place() -> None:
    """Elsewhere one that names nobody would be called a fault of ours."""
    found = [path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if "expanduser" in path.read_text("utf-8")]
    assert found == [Path("files.py")]


def test_extras_that_messages_name_can_be_installed() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    named = {name for p in SOURCE.rglob("*.py") for name in re.findall(r"mezzotint\[(\w+)\]", p.read_text())}
    assert {"tune", "hub"} <= named <= set(project["optional-dependencies"])


def test_every_error_has_a_code_of_its_own() -> None:
    from mezzotint import errors

    kinds = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, errors.MezzotintError)]
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes) and all(kind.exit_code in (1, 2, 3, 4, 130) for kind in kinds)
