"""Which licences the parts of a model's folder have: what lies beside a part counts, and so does what is around it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from licence_case import LIBRARY, SHOP

from mezzotint.governance.licence.judge import judge
from mezzotint.governance.licence.model_record import known
from mezzotint.governance.licence.parts import Shelf, components_of
from mezzotint.governance.licence.words import Decision
from mezzotint.pretrained.system import describe_system

APACHE = (Path(__file__).parents[2] / "LICENSE").read_text()
NC = "This text encoder is for non-commercial research only."


@pytest.mark.parametrize(
    ("beside", "kinds", "decision"),
    [
        ({"LICENSE": APACHE}, ("text", "text", "text"), Decision.ALLOWED),
        ({"LICENSE": APACHE, "text_encoder/LICENSE": APACHE}, ("text", "text", "text"), Decision.ALLOWED),
        ({"LICENSE": APACHE, "text_encoder/LICENSE": NC}, ("edited", "text", "text"), Decision.UNKNOWN),
        ({"LICENSE": NC, "text_encoder/LICENSE": APACHE}, ("edited", "edited", "edited"), Decision.UNKNOWN),
        ({"text_encoder/LICENSE": APACHE}, ("text", "none", "none"), Decision.UNKNOWN),
        (
            {"LICENSE": APACHE, "vae/README.md": "---\nlicense: cc-by-nc-4.0\n---\n"},
            ("text", "text", "clash"), Decision.UNKNOWN,
        ),
    ],
)  # fmt: skip
def test_what_lies_beside_a_part_counts(
    sd1: Path, tmp_path: Path, beside: dict[str, str], kinds: tuple[str, ...], decision: Decision
) -> None:
    folder = shutil.copytree(sd1, tmp_path / "model")
    for name, text in beside.items():
        (folder / name).write_text(text)
    found = components_of(describe_system(folder), Shelf(LIBRARY, known(LIBRARY)))
    assert tuple({one.name: one.evidence for one in found}[name] for name in ("text_encoder", "unet", "vae")) == kinds
    assert judge("model", found, SHOP, LIBRARY).decision == decision


def test_a_part_that_lies_elsewhere_has_what_is_one_folder_up(sd1: Path, tmp_path: Path) -> None:
    system, other = describe_system(sd1), shutil.copytree(sd1, tmp_path / "other")
    assert system.components is not None
    vae = replace(system.components["vae"], folder=other / "vae")
    lent = replace(system, components=replace(system.components, parts={**system.components.parts, "vae": vae}))

    def kind() -> str:
        found = components_of(lent, Shelf(LIBRARY, known(LIBRARY)))
        return {one.name: one.evidence for one in found}["vae"]

    (other / "vae" / "LICENSE").write_text(APACHE)
    assert kind() == "text"
    (other / "LICENSE").write_text(NC)
    assert kind() == "edited"
