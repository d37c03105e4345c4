"""Facts and components for cases of licences: a shop in Singapore that has signed every record and does all it must."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from mezzotint.governance.licence.components import Component
from mezzotint.governance.licence.evidence import weighed
from mezzotint.governance.licence.facts import Facts, Signature
from mezzotint.governance.licence.judge import judge
from mezzotint.governance.licence.library import Library
from mezzotint.governance.licence.money import Money
from mezzotint.governance.licence.texts import text_hash
from mezzotint.governance.licence.verdict import Verdict
from mezzotint.governance.licence.words import PLACES

TODAY = date(2026, 11, 27)
LIBRARY = Library()
SD1, SDXL = "LicenseRef-scancode-stable-diffusion-2022-08-22", "LicenseRef-CreativeML-OpenRAIL-PP-M"
STABILITY, STABILITY_NC = (
    "LicenseRef-scancode-stability-ai-community-2024",
    "LicenseRef-scancode-stability-ai-nc-2023-12-06",
)
FLUX, FLUX_111, FLUX_2 = (
    "LicenseRef-scancode-flux-1-nc",
    "LicenseRef-FLUX-1-dev-NC-1.1.1",
    "LicenseRef-FLUX-Non-Commercial-v2.1",
)
IF, COG, KREA = "LicenseRef-DeepFloyd-IF", "LicenseRef-CogVideoX", "LicenseRef-Krea-2-Community"
LTXV, LTX_2 = "LicenseRef-scancode-ltxv-owl-2025-05-05", "LicenseRef-LTX-2-Community"
MINIMAX, IDEOGRAM = "LicenseRef-MiniMax-H3-Community", "LicenseRef-Ideogram-4-NC"
PLAYGROUND, PLAYGROUND_25 = "LicenseRef-scancode-playground-v2-community", "LicenseRef-Playground-v2.5-Community"
HUNYUAN, HUNYUAN_DIT = "LicenseRef-scancode-tencent-hunyuan-3d-2.0-cla", "LicenseRef-Tencent-Hunyuan-DiT-EU"
HUNYUAN_IMAGE = "LicenseRef-scancode-tencent-hunyuan-image-3.0-cla"
GEMMA, LLAMA = "LicenseRef-scancode-gemma-tou-2025-03-24", "LicenseRef-scancode-llama-3.1-license-2024"
NVIDIA, NSCL = "LicenseRef-scancode-nvidia-open-model-2025-04-28", "LicenseRef-NVIDIA-NSCLv1"
APPLE, INSIGHT = "LicenseRef-Apple-MLR", "LicenseRef-InsightFace-Research-Only"


def signatures(day: date = TODAY) -> dict[str, Signature]:
    """Of every record, on a day."""
    return {one.id: Signature("A. Counsel", day, one.sha256) for one in LIBRARY.all()}


def usd(amount: int | str) -> Money:
    return Money(Decimal(amount), "USD")


SHOP = Facts(
    use="advertising",
    stage="production",
    delivery="outputs_only",
    revenue=usd(200_000),
    affiliates_included=True,
    mau=10_000,
    muu=10_000,
    visits=10_000,
    image_core_business=False,
    territories=dict.fromkeys(PLACES, frozenset({"SG"})),
    safeguards=("input_filter", "output_filter", "ai_disclosure", "human_review"),
    registrations=(STABILITY, COG),
    met=("attribution", "notice_file", "license_copy", "use_restrictions", "use_policy", "derivative_terms"),
    signed=signatures(),
    today=TODAY,
)


def shop(**changed: Any) -> Facts:
    """The shop with other facts; territory is for every place."""
    if "territory" in changed:
        changed["territories"] = dict.fromkeys(PLACES, frozenset(changed.pop("territory")))
    return replace(SHOP, **changed)


TESTING = shop(use="evaluation", stage="evaluation", delivery="internal")
RESEARCH = shop(use="internal_research", stage="evaluation", delivery="internal")


def part(licence: str, role: str = "denoiser", **more: Any) -> Component:
    """A component whose licence is known by its text."""
    return Component(role, more.pop("name", role), (licence,), "text", **more)


WORDS = {id: f"{id}. You may use the model as the sections below say, and not otherwise." for id in (STABILITY, FLUX)}
"""What stands for licences of which the hash alone is here: a record's own text is somebody else's, and long."""

READING = Library({id: replace(LIBRARY.need(id, ""), text_sha256=(text_hash(text),)) for id, text in WORDS.items()})
"""The records that ship, with those words as the texts of theirs."""


def read(*texts: str, tags: tuple[str, ...] = ()) -> Component:
    """A component whose licence is read as that of a folder is, from the texts and tags that lie beside it."""
    known = weighed(texts, tags, READING)
    return Component("denoiser", "net", known.licences, known.kind, tags=known.tags)


def found(facts: Facts, *licences: str | Component) -> Verdict:
    """The verdict on components, each a licence that is known, or as given."""
    parts = [one if isinstance(one, Component) else part(one, name=f"part {k}") for k, one in enumerate(licences)]
    return judge("model", parts, facts, LIBRARY)
