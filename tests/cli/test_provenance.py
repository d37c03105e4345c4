"""Pictures leave signed and entered; ``verify`` and ``replay`` say what holds, and which factor changed."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from safetensors.torch import load_file, save_file
from tiny_systems import save_latent

import mezzotint as mz
from mezzotint.cli import run
from mezzotint.errors import ProvenanceError
from mezzotint.files import canonical_json, sha256
from mezzotint.governance.licence.library import INDEX_SHA256
from mezzotint.governance.provenance import credential, keys
from mezzotint.governance.provenance.ledger import check
from mezzotint.governance.provenance.manifest import COMPOSITE, LICENCE_LABEL, MADE, PUBLIC, Claim, Photo
from mezzotint.governance.provenance.signer import Signer, anchors, configured, with_command
from mezzotint.governance.receipt import read_receipt
from mezzotint.pretrained.folder import describe, save_model
from mezzotint.schemas import schema

pytest.importorskip("c2pa")
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

DECIDED = {
    "decision": "allowed_with_conditions", "use": "content_generation", "rules_version": "1",
    "table_sha256": "c" * 64,
}  # fmt: skip
MADE_BY_IT = Claim(False, MADE, {"asset_id": "a" * 32, "receipt_sha256": "b" * 64}, licence=DECIDED)


@pytest.fixture
def place(inside: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, and a home of its own with a tiny model called fashion and keys."""
    shutil.copytree(tiny, inside / "home" / "models" / "fashion")
    monkeypatch.setenv("MEZZOTINT_HOME", str(inside / "home"))
    assert run(["keys", "init", "--organisation", "Acme"]) == 0
    return inside


def said(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*words, "--json"]) == code, capsys.readouterr()
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema(document["schema"]))
    return document


def states(document: dict[str, Any]) -> dict[str, str]:
    return {one["kind"]: one["state"] for one in document["findings"]}


def grey(side: int = 64, seed: int = 0) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (side, side), np.uint8)).save(file, "PNG")
    return file.getvalue()


def signer() -> Signer:
    found = configured()
    assert found is not None
    return found


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(kind, begin, end) of the contents of a PNG's chunks."""
    at = 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8], at + 8, at + 8 + length
        at += 12 + length


def sealed(data: bytes, begin: int, end: int) -> bytes:
    """With the right checksum of the chunk whose contents are there."""
    return data[:end] + struct.pack(">I", zlib.crc32(data[begin - 4 : end])) + data[end + 4 :]


def test_a_picture_leaves_signed_and_entered(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["generate", "sneaker", "--n", "2", "--quiet", "--out"]
    assert run([*words, "o"]) == 0
    found = check(place / "home" / "ledger.sqlite")
    assert found.fault is None and found.head.number == 2
    document = said(capsys, 0, "verify", "o/sneaker-0.png")
    assert states(document) == {
        "credential": "trusted",
        "receipt": "matches",
        "ledger": "file",
        "mark": "marked",
        "watermark": "none",
        "near-copy": "none",
    }
    assert (document["verdict"], document["source"], document["photos"]) == ("proves", MADE, 0)
    assert "Acme" in document["signer"]
    data = Path("o/sneaker-0.png").read_bytes()
    assert b"sneaker" not in data.lower()  # the prompt is private
    assert run([*words[:-1], "--embed-prompt", "--out", "p"]) == 0
    assert credential.read(Path("p/sneaker-0.png").read_bytes(), anchors()).said["prompt"] == "sneaker"  # type: ignore[index]
    assert run(["config"]) == 0


def test_a_decision_on_a_declared_use_is_public_and_no_fact_of_the_organisation(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was decided, by which table; not the facts, nor their hash, by which a guess could be confirmed."""
    words = ["generate", "sneaker", "--quiet", "--out"]
    assert run([*words, "none"]) == 0
    assert credential.read(Path("none/sneaker-0.png").read_bytes(), anchors()).licence is None
    Path("mezzotint.toml").write_text('[licence]\nrevenue = "123456 USD"\naffiliates_included = true\n')
    assert run([*words, "o", "--use", "advertising", "--licence-mode", "warn"]) == 0
    data, (path,) = Path("o/sneaker-0.png").read_bytes(), Path("o/receipts").iterdir()
    receipt = read_receipt(path)
    assert receipt.around is not None and receipt.around.licence is not None
    found = credential.read(data, anchors())
    assert found.state == "trusted" and found.licence is not None
    assert found.licence == {
        **{name: receipt.around.licence[name] for name in PUBLIC if name in receipt.around.licence},
        "table_sha256": INDEX_SHA256,
    }
    assert found.licence["decision"] == "unknown" and LICENCE_LABEL.encode() in data
    facts = ("123456", "affiliates", receipt.around.licence["inputs_sha256"])
    assert not [one for one in facts if one.encode() in data]


def test_signing_changes_no_pixel_and_no_id(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["generate", "sneaker", "--quiet", "--out"]
    monkeypatch.setenv("MEZZOTINT_CREDENTIALS", "off")
    assert run([*words, "plain"]) == 0
    monkeypatch.setenv("MEZZOTINT_CREDENTIALS", "auto")
    assert run([*words, "signed"]) == 0
    plain, signed = (Path(folder, "sneaker-0.png").read_bytes() for folder in ("plain", "signed"))
    assert 0 < len(signed) - len(plain) <= 5000
    assert Image.open(io.BytesIO(plain)).tobytes() == Image.open(io.BytesIO(signed)).tobytes()
    # Signed last: all that was there is there, in its order.
    kept = [(k, signed[b:e]) for k, b, e in chunks(signed) if k != b"caBX"]
    assert kept == [(k, plain[b:e]) for k, b, e in chunks(plain)]
    assert sorted(p.name for p in Path("plain/receipts").iterdir()) == [
        p.name for p in sorted(Path("signed/receipts").iterdir())
    ]


def test_what_is_done_to_a_file_shows(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Saved again: the credential is gone and the ledger knows the pixels; moved credentials and pixels are refuted."""
    assert run(["generate", "sneaker", "--n", "2", "--quiet", "--out", "o"]) == 0
    path, away = Path("o/sneaker-0.png"), place / "away.png"
    Image.open(path).save(away)
    document = said(capsys, 0, "verify", str(away))
    assert states(document) == {
        "credential": "none",
        "receipt": "none",
        "ledger": "pixels",
        "mark": "none",
        "watermark": "none",
        "near-copy": "none",
    }
    data, other = path.read_bytes(), Path("o/sneaker-1.png").read_bytes()
    ours, theirs = ({k: (b, e) for k, b, e in chunks(d)} for d in (data, other))
    b, e = ours[b"IDAT"]
    pixel = Image.open(path).convert("L")
    pixel.putpixel((0, 0), pixel.getpixel((0, 0)) ^ 1)
    file = io.BytesIO()
    pixel.save(file, "PNG")
    first = {k: (b, e) for k, b, e in chunks(file.getvalue())}[b"IDAT"]
    changed = data[: b - 8] + file.getvalue()[first[0] - 8 : first[1] + 4] + data[e + 4 :]
    b, e = ours[b"caBX"]
    c, f = theirs[b"caBX"]
    for bad in (changed, data[: b - 8] + other[c - 8 : f + 4] + data[e + 4 :]):
        path.write_bytes(bad)
        document = said(capsys, 4, "verify", str(path))
        assert states(document)["credential"] == "invalid" and document["verdict"] == "fails"
    away.write_bytes(grey())
    assert states(said(capsys, 3, "verify", str(away)))["ledger"] == "absent"
    assert run(["verify", "o/run.json"]) == 2


def test_a_receipt_is_linked_by_hash(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["generate", "sneaker", "--quiet", "--out", "o"]) == 0
    (receipt,) = Path("o/receipts").iterdir()
    text = receipt.read_text()
    receipt.write_text(text.replace('"batch_seconds": ', '"batch_seconds": 1'))
    assert states(said(capsys, 4, "verify", "o/sneaker-0.png"))["receipt"] == "changed"
    receipt.write_text(text)
    assert said(capsys, 0, "verify", "o/sneaker-0.png")["verdict"] == "proves"


def test_somebody_elses_signature_is_not_trusted(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = credential.signed(grey(), MADE_BY_IT, signer())
    Path("theirs.png").write_bytes(theirs)
    authority = (keys.folder() / keys.AUTHORITY).rename(place / "acme.pem")
    keys.folder().rename(place / "old")
    document = said(capsys, 3, "verify", "theirs.png")
    assert states(document)["credential"] == "valid" and "nobody here vouches" in document["findings"][0]["text"]
    assert run(["keys", "init", "--organisation", "Other"]) == 0
    assert states(said(capsys, 3, "verify", "theirs.png"))["credential"] == "valid"
    Path("mezzotint.toml").write_text(f'[provenance]\ntrust = ["{authority}"]\n')
    assert states(said(capsys, 0, "verify", "theirs.png"))["credential"] == "trusted"


def test_a_receipt_that_a_stranger_signed_proves_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["generate", "sneaker", "--quiet", "--out", "o"]) == 0
    assert said(capsys, 0, "verify", "o/sneaker-0.png")["verdict"] == "proves"
    keys.folder().rename(place / "old")
    for book in place.rglob("ledger*"):
        book.unlink()
    document = said(capsys, 3, "verify", "o/sneaker-0.png")
    assert document["verdict"] != "proves"
    assert states(document)["credential"] == "valid"
    (receipt,) = (one for one in document["findings"] if one["kind"] == "receipt")
    assert receipt["verdict"] == "silent" and "nobody here vouches" in receipt["text"]


def test_400_mutated_manifests_are_never_trusted(place: Path) -> None:
    """Bits flipped, runs of bytes inverted, bytes taken out of the credential, with right lengths and checksums."""
    data = credential.signed(grey(), MADE_BY_IT, signer())
    trusted = anchors()
    assert credential.read(data, trusted).state == "trusted"
    ((begin, end),) = [(b, e) for k, b, e in chunks(data) if k == b"caBX"]
    random = np.random.default_rng(0)
    seen = []
    for k in range(400):
        at = int(random.integers(begin, end))
        body = bytearray(data[begin:end])
        if k % 4 < 2:
            body[at - begin] ^= 1 << int(random.integers(8))
        elif k % 4 == 2:
            body[at - begin : at - begin + 16] = bytes(b ^ 0xFF for b in body[at - begin : at - begin + 16])
        else:
            body = body[: at - begin] + body[at - begin + 1 :]
        length = struct.pack(">I", len(body))
        whole = data[: begin - 8] + length + b"caBX" + bytes(body) + data[end:]
        bad = sealed(whole, begin, begin + len(body))
        seen.append(credential.read(bad, trusted).state)
    assert len(seen) == 400 and "trusted" not in seen and set(seen) <= {"invalid", "none", "valid"}, set(seen)
    assert seen.count("invalid") > 350


@pytest.fixture
def canary() -> Iterator[tuple[str, list[bytes]]]:
    """A server on this machine that notes whoever comes: its address, and what was asked."""
    visits: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    client, _ = server.accept()
                except TimeoutError:
                    continue
                with client:
                    visits.append(client.recv(200))

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", visits
        done.set()
        thread.join()


def xmp_of(address: str) -> str:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/"'
        f' dcterms:provenance="{address}/forged"/></rdf:RDF></x:xmpmeta>'
    )


def forged(address: str) -> bytes:
    """An unsigned picture whose metadata names an address where its credential is said to be."""
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp_of(address))
    file = io.BytesIO()
    Image.open(io.BytesIO(grey(8))).save(file, "PNG", pnginfo=text)
    return file.getvalue()


def test_nothing_in_a_file_makes_us_open_a_socket(
    place: Path, canary: tuple[str, list[bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Forged metadata, credentials that are elsewhere, photographs with either."""
    import c2pa

    address, visits = canary
    Path("forged.png").write_bytes(forged(address))
    jpeg = io.BytesIO()
    Image.open("forged.png").convert("RGB").save(jpeg, "JPEG", xmp=xmp_of(address).encode())
    Path("forged.jpg").write_bytes(jpeg.getvalue())
    remote, own = io.BytesIO(), signer()
    builder = c2pa.Builder(
        {"claim_generator_info": [{"name": "evil"}], "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": MADE}]}}
        ]},
        context=credential._context(""),
    )  # fmt: skip
    builder.set_remote_url(f"{address}/manifest.c2pa")
    builder.set_no_embed()
    builder.sign(own.opened, "image/png", io.BytesIO(grey(8)), remote)
    Path("remote.png").write_bytes(remote.getvalue())
    assert address.encode() in remote.getvalue()
    for name in ("forged.png", "forged.jpg", "remote.png"):
        assert run(["verify", name]) in (3, 4), name
        assert run(["inspect", name]) == 0
        data = Path(name).read_bytes()
        photo = Photo(data, credential.mime_of(data))
        credential.signed(grey(), Claim(False, MADE, {}, (photo,)), own)
        credential.signed(grey(), Claim(True, COMPOSITE, {}, (photo,)), own)
    time.sleep(0.2)
    assert visits == []


def test_an_address_as_a_prompt_is_words_to_a_model_of_text(
    place: Path, canary: tuple[str, list[bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture is made of it, and of one in every other text; no address is asked."""
    address, visits = canary
    save_latent(place / "home" / "models" / "words")
    words = ["--model", "words", "--quiet", "--batch", "1", "--out"]
    assert run(["generate", f"a red chair {address}/prompt", "--negative-prompt", f"{address}/not", *words, "a"]) == 0
    (receipt,) = Path("a/receipts").iterdir()
    assert read_receipt(receipt).made.prompt == f"a red chair {address}/prompt"
    assert run(["verify", *map(str, Path("a").glob("a-red*.png"))]) == 0 and run(["replay", str(receipt)]) == 0
    assert run(["check", "--prompt", f"a red chair {address}/prompt", "--caption", f"{address}/caption"]) in (0, 3)
    time.sleep(0.2)
    assert visits == []


ADDRESSED = [
    ["verify", "{}/picture.png"],
    ["replay", "{}/receipt.json"],
    ["read", "{}/picture.png"],
    ["inspect", "{}/picture.png"],
    ["check", "{}/picture.png"],
    ["protect", "{}/picture.png"],
    ["generate", "sneaker", "--model", "{}/model"],
    ["generate", "sneaker", "--image", "{}/picture.png"],
    ["generate", "sneaker", "--lora", "{}/adapter.safetensors"],
    ["vary", "{}/picture.png"],
    ["tune", "{}/photos", "--model", "words", "--name", "bag", "--out", "t"],
    ["licence", "{}/model", "--use", "advertising"],
    ["evidence", "build", "{}/runs"],
]
"""Commands that are given an address in the place of a file."""


@pytest.mark.parametrize("words", ADDRESSED, ids=[" ".join(words) for words in ADDRESSED])
def test_an_address_is_no_file(
    place: Path, canary: tuple[str, list[bytes]], capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """Refused in one line that names it, by whatever reads a file there; no address is asked."""
    address, visits = canary
    if "words" in words:
        save_latent(place / "home" / "models" / "words")
    capsys.readouterr()
    assert run([word.format(address) for word in words]) == 2
    said = capsys.readouterr().err
    assert "127.0.0.1" in said and len(said.splitlines()) == 1, said
    time.sleep(0.1)
    assert visits == []


def test_the_canary_sings(place: Path, canary: tuple[str, list[bytes]]) -> None:
    """The library as it comes does open one: the test before this can fail."""
    import c2pa

    address, visits = canary
    with pytest.raises(c2pa.C2paError):
        c2pa.Reader("image/png", io.BytesIO(forged(address)))
    time.sleep(0.2)
    assert visits


def test_photographs_are_named_in_what_is_made_of_them(place: Path) -> None:
    """The photograph's own credential goes along; an edit opens it, another picture was given it."""
    photo = Photo(credential.signed(grey(seed=1), MADE_BY_IT, signer()), "image/png")
    for claim in (Claim(True, COMPOSITE, {}, (photo,)), Claim(False, MADE, {}, (photo, Photo(grey(), "image/png")))):
        data = credential.signed(grey(), claim, signer())
        found = credential.read(data, anchors())
        assert (found.state, found.source, found.photos) == ("trusted", claim.source, len(claim.photos))
        assert b"c2pa.opened" in data or not claim.edit


def test_jpeg_and_webp_are_read_too(place: Path) -> None:
    for kind, mime in (("JPEG", "image/jpeg"), ("WEBP", "image/webp")):
        file = io.BytesIO()
        Image.open(io.BytesIO(grey())).convert("RGB").save(file, kind)
        assert credential.mime_of(file.getvalue()) == mime
        assert credential.read(credential.signed(file.getvalue(), MADE_BY_IT, signer()), anchors()).state == "trusted"


def test_no_unsigned_picture_where_the_key_fails(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key that is missing, wrong, another's, or a program that does not sign: nothing is made."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key, chain = keys.folder() / keys.KEY, keys.folder() / keys.CHAIN
    good = key.read_bytes()
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def fails(k: int, *hint: str) -> None:
        assert said(capsys, 2, "generate", "sneaker", "--quiet", "--out", f"o{k}")["code"] == "provenance_failed"
        assert not list(Path(f"o{k}").glob("*.png")) and not (place / "home" / "ledger.sqlite").exists()

    for k, bad in enumerate((b"no key", pem)):
        key.write_bytes(bad)
        fails(k)
    key.unlink()
    fails(2)
    key.write_bytes(good)
    for k, command in enumerate((["false"], ["cat"], ["no-such-program"]), 3):
        Path("mezzotint.toml").write_text(f'[provenance]\ncertificate = "{chain}"\ncommand = {json.dumps(command)}\n')
        fails(k)
    Path("mezzotint.toml").write_text('credentials = "required"\n')
    keys.folder().rename(place / "away")
    fails(6)
    Path("mezzotint.toml").unlink()
    assert run(["generate", "sneaker", "--quiet", "--out", "o7"]) == 0  # no keys: no credential
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("days", [-800, 400], ids=["expired", "not yet"])
def test_no_picture_by_a_certificate_that_is_not_valid_now(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], days: int
) -> None:
    """Two years old and good for one, or a year ahead of this machine's clock."""

    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Then:
            found = datetime.now(tz) + timedelta(days=days)
            return cls.fromtimestamp(found.timestamp(), tz)

    keys.folder().rename(place / "good")
    with monkeypatch.context() as patch:
        patch.setattr(keys, "datetime", Then)
        keys.init("Acme", 1)
    assert said(capsys, 2, "generate", "sneaker", "--quiet", "--out", "o")["code"] == "provenance_failed"
    assert not list(Path("o").glob("*.png")) and not (place / "home" / "ledger.sqlite").exists()


def test_a_program_that_holds_the_key_signs(place: Path) -> None:
    """As PKCS#11 tools and signing services do: bytes in, signature out."""
    program = place / "sign.py"
    program.write_text(
        "import sys\nfrom cryptography.hazmat.primitives import hashes, serialization as s\n"
        "from cryptography.hazmat.primitives.asymmetric import ec\n"
        f"key = s.load_pem_private_key(open({str(keys.folder() / keys.KEY)!r}, 'rb').read(), None)\n"
        "sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read(), ec.ECDSA(hashes.SHA256())))\n"
    )
    chain = (keys.folder() / keys.CHAIN).read_text()
    command = with_command(chain, [sys.executable, str(program)])
    data = credential.signed(grey(), MADE_BY_IT, command)
    assert credential.read(data, anchors()).state == "trusted" and len(data) - len(grey()) <= 5_000
    assert credential.signed(grey(), MADE_BY_IT, command) != data, "each is signed"


def chain_of(kind: str) -> tuple[str, Any]:
    """Certificates of a signer with another kind of key, under an authority of its own; and that key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.serialization import Encoding

    curves = {"es256": ec.SECP256R1, "es384": ec.SECP384R1, "es512": ec.SECP521R1}
    above = ec.generate_private_key(ec.SECP256R1())
    own: Any = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(curves[kind]())
    names = keys._name("Acme", "authority"), keys._name("Acme", "pictures")
    root, leaf = keys._authority(names[0], above, 9), keys._signer(names, above, own, 8)
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in (leaf, root)), own


@pytest.mark.parametrize("kind", ["es256", "es384", "es512", "ed25519"])
@pytest.mark.parametrize("written", ["PNG", "JPEG", "WEBP"])
def test_whoever_signs_with_whatever_key_the_credential_is_small(place: Path, kind: str, written: str) -> None:
    """A signature as DER or as r and s: in the file it is the asked one's, and the file holds."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    chain, key = chain_of(kind)
    digest = {"es256": hashes.SHA256(), "es384": hashes.SHA384(), "es512": hashes.SHA512()}.get(kind)
    size = {"es256": 32, "es384": 48, "es512": 66}.get(kind, 0)
    file = io.BytesIO()
    Image.open(io.BytesIO(grey())).convert("RGB").save(file, written)

    def sign(data: bytes) -> bytes:
        return bytes(key.sign(data) if digest is None else key.sign(data, ECDSA(digest)))

    def raw(data: bytes) -> bytes:
        return b"".join(part.to_bytes(size, "big") for part in decode_dss_signature(sign(data)))

    for signs in (sign, *([raw] if size else [])):
        signed = credential.signed(file.getvalue(), MADE_BY_IT, Signer(chain, signs))
        assert credential.read(signed, chain).state == "trusted" and len(signed) - len(file.getvalue()) <= 5_000
        assert Image.open(io.BytesIO(signed)).convert("RGB").tobytes()


@pytest.mark.parametrize("answer", [b"", bytes(64), b"\1" * 64, b"\2" * 71, bytes(10_000)])
def test_what_is_no_signature_keeps_the_picture(place: Path, answer: bytes) -> None:
    chain = (keys.folder() / keys.CHAIN).read_text()
    with pytest.raises(ProvenanceError) as error:
        credential.signed(grey(), MADE_BY_IT, Signer(chain, lambda data: answer))
    assert "\n" not in str(error.value)


def test_keys_are_their_owners_and_never_overwritten(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (keys.folder() / keys.KEY).stat().st_mode & 0o077 == 0 and keys.folder().stat().st_mode & 0o077 == 0
    assert run(["keys", "init", "--organisation", "Acme"]) == 2 and "nothing is overwritten" in capsys.readouterr().err
    keys.folder().rename(place / "old")
    assert run(["keys", "init", "--organisation", " "]) == 2
    assert run(["keys", "init", "--organisation", "Acme", "--years", "0"]) == 2
    said(capsys, 0, "keys", "init", "--organisation", "Ünïcode GmbH")
    assert "PRIVATE" not in (keys.folder() / keys.AUTHORITY).read_text() + (keys.folder() / keys.CHAIN).read_text()


@pytest.mark.parametrize("name", ["Acme" * 16, "บริษัทตัวอย่าง" * 4, "示例科技有限公司" * 4, "நிறுவனம்" * 8])
def test_a_long_name_in_any_script_makes_keys(place: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    from cryptography import x509

    keys.folder().rename(place / "old")
    said(capsys, 0, "keys", "init", "--organisation", name)
    leaf, root = x509.load_pem_x509_certificates((keys.folder() / keys.CHAIN).read_bytes())
    assert leaf.subject != leaf.issuer == root.subject
    for certificate, what in ((leaf, "pictures"), (root, "authority")):
        (common,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        begins, _, ends = str(common.value).rpartition(" ")
        assert name.startswith(begins) and ends == what and len(str(common.value).encode()) <= 64


def test_a_name_that_is_no_text_is_one_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys.folder().rename(place / "old")
    assert run(["keys", "init", "--organisation", "Acme \udcff"]) == 2
    error = capsys.readouterr().err
    assert "expected a name in UTF-8" in error and error.count("\n") == 1 and not keys.folder().exists()


def test_a_ledger_that_cannot_be_written_stops_all(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "folder").mkdir()
    Path("mezzotint.toml").write_text('ledger = "folder"\n')
    assert run(["generate", "sneaker", "--quiet", "--out", "o"]) == 2
    assert "cannot write the ledger" in capsys.readouterr().err and not list(Path("o").glob("*.png"))
    Path("mezzotint.toml").write_text('ledger = "off"\n')
    assert run(["generate", "sneaker", "--quiet", "--out", "o"]) == 0
    assert not (place / "home" / "ledger.sqlite").exists()


def retrained(model: Path, folder: Path) -> Path:
    """The same model with other weights."""
    spec, weights = describe(model).spec, load_file(next(model.glob("*.safetensors")))
    save_model(folder, {k: -w if w.is_floating_point() else w for k, w in weights.items()}, spec, torch.bfloat16)
    return folder


def lora(model: Path, path: Path) -> Path:
    """An adapter of one layer."""
    weights = load_file(next(model.glob("*.safetensors")))
    name, weight = next((k, w) for k, w in weights.items() if k.endswith("mlp.up.weight"))
    layer, (out, wide) = f"transformer.{name.removesuffix('.weight')}", weight.shape
    matrices = {"lora_A": torch.ones(2, wide) / 8, "lora_B": torch.ones(out, 2) / 8}
    save_file({f"{layer}.{kind}.weight": matrix for kind, matrix in matrices.items()}, path)
    return path


def test_replay_names_an_adapter_of_which_one_byte_is_another(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = lora(place / "home" / "models" / "fashion", place / "acme.safetensors")
    assert run(["generate", "sneaker", "--quiet", "--lora", str(file), "--out", "o"]) == 0
    have = ("--have", f"acme={file}")
    assert said(capsys, 0, "replay", str(receipt_of("o")), *have)["factors"] == []
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(bytes(data))
    capsys.readouterr()
    assert run(["replay", str(receipt_of("o")), *have, "--json"]) in (0, 4)
    found = json.loads(capsys.readouterr().out)
    assert [(factor["name"], factor["where"]) for factor in found["factors"]] == [("adapter", "adapters.0.sha256")]


def receipt_of(folder: str) -> Path:
    (path,) = Path(folder, "receipts").iterdir()
    return path


def changed(path: Path, **words: Any) -> Path:
    """A receipt that says something else, soundly: another version might have written it."""
    was = read_receipt(path)
    table = {**json.loads(path.read_text())["made"], **words}
    other = {"schema": "mezzotint/receipt/2", "made": table, "asset_id": sha256(canonical_json(table))[:32]}
    whole = {**json.loads(path.read_text()), **other}
    new = path.with_name(f"{other['asset_id']}.json")
    new.write_text(json.dumps(whole))
    assert read_receipt(new).pixels_sha256 == was.pixels_sha256
    return new


def test_replay_is_exact_and_names_what_changed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Threads, number format, solver, its version, code, weights."""
    assert run(["generate", "sneaker", "--n", "2", "--quiet", "--out", "o", "--film"]) == 0
    document = json.loads(Path("o/run.json").read_text())
    path = Path("o", document["images"][1]["receipt"])
    found = said(capsys, 0, "replay", str(path))
    assert (found["verdict"], found["factors"], found["again"]) == ("exact", [], found["asset_id"])

    def names(code: int, receipt: Path, *words: str) -> tuple[str, set[str]]:
        found = said(capsys, code, "replay", str(receipt), *words)
        return found["verdict"], {factor["name"] for factor in found["factors"]}

    assert names(0, path, "--threads", "2")[1] == {"threads"}
    verdict, factors = names(0, path, "--dtype", "bfloat16")
    assert verdict == "tolerance" and factors == {"dtype"}
    verdict, factors = names(4, path, "--solver", "euler")
    assert verdict == "differs" and "solver" in factors and not factors & {"threads", "dtype", "weights", "code"}
    made = json.loads(path.read_text())["made"]
    stage = made["stages"][0]
    older = changed(path, stages=[{**stage, "solver": {**stage["solver"], "corrector": "of an older version"}}])
    assert names(0, older) == ("exact", {"solver"})
    assert names(0, changed(path, versions={**made["versions"], "torch": "2.0.0"}))[1] == {"version of torch"}
    table = json.loads(path.read_text())
    path.write_text(json.dumps({**table, "around": {"code_sha256": "0" * 64}}))
    assert names(0, path)[1] == {"code"}
    path.write_text(json.dumps(table))
    other = retrained(place / "home" / "models" / "fashion", place / "fashion")
    verdict, factors = names(4, path, "--have", f"fashion={other}")
    assert verdict == "differs" and factors == {"weights"}
    assert run(["replay", str(path), "--have", "lamp=x"]) == 2 and "no such file" in capsys.readouterr().err
    assert run(["replay", str(path), "--picture", "o/sneaker-0.png"]) == 2
    assert run(["replay", "o/run.json"]) == 2
    capsys.readouterr()
    assert run(["replay", str(path), "--threads", "0"]) == 2 and "expected a whole number" in capsys.readouterr().err
    Path("o/a-damaged-one-1.png").write_bytes(b"no picture")
    assert names(0, path, "--dtype", "bfloat16")[0] == "tolerance", "another picture beside it is passed over"
    assert not (place / "mezzotint-out").exists()


def test_replay_by_another_version_of_the_solvers_names_them(place: Path) -> None:
    assert run(["generate", "sneaker", "--quiet", "--out", "o"]) == 0
    path = receipt_of("o")
    root = Path(mz.__file__).parent
    shutil.copytree(root, place / "newer" / "mezzotint", ignore=shutil.ignore_patterns("__pycache__"))
    solver = place / "newer" / "mezzotint" / "diffusion" / "solver" / "dpm.py"
    solver.write_text(solver.read_text() + "\n# of a later version\n")
    done = subprocess.run(
        [sys.executable, "-m", "mezzotint", "replay", str(path), "--json"],
        env={**os.environ, "PYTHONPATH": str(place / "newer")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert [factor["name"] for factor in found["factors"]] == ["code of diffusion/solver"]


def test_older_receipts_have_no_such_word(place: Path) -> None:
    assert run(["generate", "sneaker", "--quiet", "--out", "o"]) == 0
    path = receipt_of("o")
    table = json.loads(path.read_text())
    assert len(table.pop("around")["code_sha256"]) == 64
    path.write_text(json.dumps(table))
    assert read_receipt(path).around is None
    assert mz.replay(path).verdict == "exact"


def test_the_licence_decision_is_in_the_receipt(place: Path) -> None:
    words = ["generate", "sneaker", "--quiet", "--use", "internal_research", "--licence-mode", "warn", "--out", "o"]
    assert run(words) == 0
    around = read_receipt(receipt_of("o")).around
    assert around is not None and around.licence is not None
    assert around.licence["decision"] == "unknown" and around.licence["enforced"] is False
    jsonschema.validate(json.loads(receipt_of("o").read_text()), schema("mezzotint/receipt/2"))


def test_nothing_is_put_beside_a_signature(place: Path) -> None:
    """The room beside it is not signed, and the library passes over what is there."""
    program = Roomy((keys.folder() / keys.CHAIN).read_text(), lambda data: _key().sign(data, ECDSA(SHA256())))
    data = credential.signed(grey(), MADE_BY_IT, program)
    ((begin, end),) = [(b, e) for k, b, e in chunks(data) if k == b"caBX"]
    room = data.index(bytes(2000), begin) + 1000
    assert begin < room < end
    bad = sealed(data[:room] + b"a secret" + data[room + 8 :], begin, end)
    assert credential.read(data, anchors()).state == "trusted"
    assert credential.read(bad, anchors()).state == "invalid"


def photo_file(side: int = 64) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(grey(side))).convert("RGB").save(file, "JPEG")
    return file.getvalue()


class Roomy(Signer):
    """One that leaves the room that the library keeps for a function's signature, as other tools do."""

    @cached_property
    def opened(self) -> Any:
        import c2pa

        assert not isinstance(self.key, bytes)
        return c2pa.Signer.from_callback(self.key, c2pa.C2paSigningAlg.ES256, self.certificates)

    def finished(self, data: bytes, mime: str) -> bytes:
        return data


def test_nor_in_a_jpeg_whose_credential_is_in_pieces(place: Path) -> None:
    """A large one, by a command: with something in the room beside the signature, and with pieces changed."""
    program = Roomy((keys.folder() / keys.CHAIN).read_text(), lambda data: _key().sign(data, ECDSA(SHA256())))
    photos = tuple(Photo(credential.signed(photo_file(), MADE_BY_IT, program), "image/jpeg") for _ in range(6))
    data = credential.signed(photo_file(), Claim(False, MADE, {"asset_id": "a" * 32}, photos), program)
    begins = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xeb" and data[at + 4 : at + 6] == b"JP"]
    assert len(begins) > 1 and credential.read(data, anchors()).state == "trusted"
    room = data.rindex(bytes(2000)) + 1000
    assert begins[0] < room
    random, seen = np.random.default_rng(0), []
    names = [at for at in range(len(data)) if data.startswith(b"c2pa.signature\0", at)]
    for at in [
        room,
        *(at + 13 for at in names),
        *(b + 12 + k for b in begins for k in range(8)),
        *random.integers(begins[-1], len(data) - 700, 60),
    ]:
        bad = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        seen.append(credential.read(bad, anchors()).state)
    assert "trusted" not in seen and seen[0] == "invalid"


def _key() -> Any:
    return load_pem_private_key((keys.folder() / keys.KEY).read_bytes(), None)
