"""``pull`` from a hub that runs here: a server with the hub's own addresses, headers and faults."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub", reason="pip install 'mezzotint[hub]'")

from mezzotint.errors import InputError, MezzotintError, ModelError, UsageError
from mezzotint.pretrained.hub import Listed, chosen, parse_id, pull

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "model_index.json": b'{"_class_name": "StableDiffusionPipeline"}',
    "README.md": b"a card",
    "unet/config.json": b"{}",
    "unet/diffusion_pytorch_model.safetensors": bytes(5000),
    "unet/diffusion_pytorch_model.fp16.safetensors": bytes(2500),
    "unet/diffusion_pytorch_model.bin": b"a pickle",
    "tokenizer/merges.txt": b"#version: 0.2",
    "flax_model.msgpack": b"other",
    ".gitattributes": b"* -text",
}


@dataclass
class Hub:
    """What the server says.  wrong: a file whose hash is another than its bytes'.  status: of everything, else 200."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    wrong: str = ""
    status: int = 200
    code: str = ""
    asked: list[str] = field(default_factory=list)


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def answer(self, body: bytes, headers: dict[str, str], send: bool) -> None:
            self.send_response(hub.status)
            for key, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            if send:
                self.wfile.write(body)

        def either(self, send: bool) -> None:
            hub.asked.append(f"{self.command} {self.path}")
            if hub.status != 200:
                self.answer(b"{}", {"X-Error-Code": hub.code} if hub.code else {}, send)
            elif self.path.startswith("/api/models/acme/chairs"):
                self.answer(json.dumps(self.listing()).encode(), {"Content-Type": "application/json"}, send)
            else:
                name = self.path.partition(f"/resolve/{COMMIT}/")[2]
                body = hub.files[name]
                digest = hashlib.sha256(body).hexdigest()
                about = {"X-Repo-Commit": COMMIT, "ETag": f'"{digest}"', "X-Linked-Size": str(len(body))}
                self.answer(body, about, send)

        def listing(self) -> object:
            siblings = []
            for name, body in hub.files.items():
                said = hashlib.sha256(body + (b"!" if name == hub.wrong else b"")).hexdigest()
                lfs = {"sha256": said, "size": len(body), "pointerSize": 100} if name.endswith("safetensors") else None
                siblings.append({"rfilename": name, "size": len(body), "blobId": "0" * 40, "lfs": lfs})
            return {
                "id": "acme/chairs", "sha": COMMIT, "siblings": siblings, "cardData": {"license": "cc0-1.0"},
                "private": False, "downloads": 0, "likes": 0, "tags": [], "modelId": "acme/chairs",
            }  # fmt: skip

        def do_GET(self) -> None:
            self.either(send=True)

        def do_HEAD(self) -> None:
            self.either(send=False)

    return Handler


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    made = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(made))
    made.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", made.address)
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    yield made
    server.shutdown()
    server.server_close()


def test_a_model_is_fetched_at_one_commit_and_recorded(hub: Hub, tmp_path: Path) -> None:
    made = pull("acme/chairs")
    assert made.folder == tmp_path / "home/models/chairs" and made.revision == COMMIT and made.licence == "cc0-1.0"
    here = {str(p.relative_to(made.folder)) for p in made.folder.rglob("*") if p.is_file()}
    left = {"unet/diffusion_pytorch_model.fp16.safetensors", "unet/diffusion_pytorch_model.bin", "flax_model.msgpack"}
    left |= {".gitattributes"}
    assert here == {*FILES, "pulled.json"} - left
    record = json.loads((made.folder / "pulled.json").read_text())
    assert record["revision"] == COMMIT and set(record["files"]) == here - {"pulled.json"}
    name = "unet/diffusion_pytorch_model.safetensors"
    assert record["files"][name] == hashlib.sha256(FILES[name]).hexdigest()
    assert all(COMMIT in line for line in hub.asked if "/resolve/" in line)
    with pytest.raises(UsageError, match="is there already"):
        pull("acme/chairs")
    assert pull("acme/chairs", name="other").folder.name == "other"


def test_a_variant_and_single_files(hub: Hub) -> None:
    half = pull("acme/chairs@main", variant="fp16", name="half").files
    assert "unet/diffusion_pytorch_model.fp16.safetensors" in half
    assert "unet/diffusion_pytorch_model.safetensors" not in half
    assert list(pull("acme/chairs", files=["unet/config.json"], name="one").files) == ["unet/config.json"]


def test_a_file_that_is_not_what_the_hub_says_never_gets_its_name(hub: Hub, tmp_path: Path) -> None:
    hub.wrong = "unet/diffusion_pytorch_model.safetensors"
    with pytest.raises(ModelError, match="not what the hub says"):
        pull("acme/chairs")
    assert not (tmp_path / "home/models/chairs").exists()
    hub.wrong = ""
    assert pull("acme/chairs").folder.is_dir()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, "GatedRepo", "is gated"),
        (404, "RepoNotFound", "the hub has no acme/chairs"),
        (404, "RevisionNotFound", "no such revision"),
        (400, "", "cannot be fetched"),
    ],
)
def test_faults_of_the_hub_are_one_line(hub: Hub, status: int, code: str, words: str) -> None:
    hub.status, hub.code = status, code
    with pytest.raises(InputError, match=words) as caught:
        pull("acme/chairs@main")
    assert "\n" not in str(caught.value)


def test_nothing_is_told_where_the_hub_s_library_was_imported_before(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would ask huggingface.co, not the hub of HF_ENDPOINT, by which names agents go, to say which one is asking."""
    from huggingface_hub import constants

    monkeypatch.delenv("HF_HUB_DISABLE_TELEMETRY", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    pull("acme/chairs")
    assert constants.HF_HUB_DISABLE_TELEMETRY


def test_no_hub_at_all(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(InputError, match="cannot be fetched"):
        pull("acme/chairs")


@pytest.mark.parametrize("id", ["chairs", "a/b/c", "../x", "acme/chairs@../..", "acme/chairs@", "", "a b/c"])
def test_ids(id: str) -> None:
    with pytest.raises(UsageError, match="is not an id"):
        parse_id(id)


def listed(*names: str) -> list[Listed]:
    return [Listed(name, 1, "") for name in names]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["model_index.json", "unet/diffusion_pytorch_model.bin"], "as a pickle alone"),
        (["model_index.json", "vae/model.a.safetensors", "vae/model.b.safetensors"], "choose one with --variant"),
        (["a.safetensors", "b.safetensors"], "choose with --file among"),
        (["a.ckpt"], "only those are fetched"),
    ],
)
def test_what_cannot_be_chosen(names: list[str], words: str) -> None:
    with pytest.raises(MezzotintError, match=words):
        chosen(listed(*names), None, ())


@pytest.mark.parametrize("name", [".gitattributes", "../../.bashrc.json", "/etc/passwd.txt", "a/b/c/d/e/f.json"])
def test_names_that_are_not_safe_are_passed_over_but_where_they_are_asked_for(name: str) -> None:
    files = listed("model_index.json", name, "README (1).md")
    assert [one.name for one in chosen(files, None, ())] == ["model_index.json", "README (1).md"]
    with pytest.raises(ModelError, match="is no safe name"):
        chosen(files, None, [name])


def test_shards_of_one_variant_stay_together() -> None:
    shards = [f"unet/diffusion_pytorch_model-0000{k}-of-00002.safetensors" for k in (1, 2)]
    half = [f"unet/diffusion_pytorch_model.fp16-0000{k}-of-00002.safetensors" for k in (1, 2)]
    tables = ["unet/diffusion_pytorch_model.safetensors.index.json"]
    other = ["unet/diffusion_pytorch_model.safetensors.index.fp16.json"]
    all_names = listed("model_index.json", *shards, *half, *tables, *other)
    assert {one.name for one in chosen(all_names, None, ())} == {"model_index.json", *shards, *tables}
    assert {one.name for one in chosen(all_names, "fp16", ())} == {"model_index.json", *half, *other}
