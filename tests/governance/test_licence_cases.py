"""Golden cases of licences: what a careful reader finds, written down before the engine is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from licence_case import (
    APPLE,
    COG,
    FLUX,
    FLUX_2,
    FLUX_111,
    GEMMA,
    HUNYUAN,
    HUNYUAN_DIT,
    HUNYUAN_IMAGE,
    IDEOGRAM,
    IF,
    INSIGHT,
    KREA,
    LIBRARY,
    LLAMA,
    LTX_2,
    LTXV,
    MINIMAX,
    NSCL,
    NVIDIA,
    PLAYGROUND,
    PLAYGROUND_25,
    RESEARCH,
    SD1,
    SDXL,
    SHOP,
    STABILITY,
    STABILITY_NC,
    TESTING,
    TODAY,
    WORDS,
    found,
    part,
    read,
    shop,
    signatures,
    usd,
)

from mezzotint.governance.licence.components import Component
from mezzotint.governance.licence.facts import Facts, Signature
from mezzotint.governance.licence.money import Money, Rate

A, C, U, D = "allowed", "allowed_with_conditions", "unknown", "denied"
SERVICE = shop(delivery="hosted_service")
EUR = Money(Decimal(800_000), "EUR")


def rate(usd_each: str, day: date = TODAY) -> dict[str, Rate]:
    return {"EUR": Rate(Decimal(usd_each), day)}


PAGE = (Path(__file__).parents[2] / "docs/how-to/licences.md").read_text()
APACHE = (Path(__file__).parents[2] / "LICENSE").read_text()

CASES: list[tuple[str, str, Facts, tuple[str | Component, ...]]] = [
    # A public licence asks nothing of who gives pictures out.
    ("Apache, pictures", A, SHOP, ("Apache-2.0",)),
    ("MIT, pictures", A, SHOP, ("MIT",)),
    ("BSD, pictures", A, SHOP, ("BSD-3-Clause",)),
    ("CC0 data", A, SHOP, ("Apache-2.0", part("CC0-1.0", "training_data"))),
    ("Apache, weights given out", C, shop(delivery="weights_redistributed"), ("Apache-2.0",)),
    ("Apache, delivery not said", U, shop(delivery=None), ("Apache-2.0",)),
    ("Apache needs no signature", A, shop(signed={}), ("Apache-2.0",)),
    ("Apache, use not said", A, shop(use=None), ("Apache-2.0",)),
    # Stability: more than a million ends it, the million itself does not.
    ("Stability at 999,999", C, shop(revenue=usd(999_999)), (STABILITY,)),
    ("Stability at 1,000,000", C, shop(revenue=usd(1_000_000)), (STABILITY,)),
    ("Stability at 1,000,001", D, shop(revenue=usd(1_000_001)), (STABILITY,)),
    ("Stability, revenue not known", U, shop(revenue=None), (STABILITY,)),
    ("Stability, affiliates not known", U, shop(affiliates_included=None), (STABILITY,)),
    ("Stability, over with a paid licence", C, shop(revenue=usd(5_000_000), paid=(STABILITY,)), (STABILITY,)),
    ("Stability, models learn from outputs", D, shop(actions=("train_on_outputs",)), (STABILITY,)),
    ("Stability in euro, clearly below", C, shop(revenue=EUR, rates=rate("1.1")), (STABILITY,)),
    ("Stability in euro, within 5 %", U, shop(revenue=EUR, rates=rate("1.2")), (STABILITY,)),
    ("Stability in euro, clearly above", D, shop(revenue=EUR, rates=rate("1.4")), (STABILITY,)),
    ("Stability in euro, no rate", U, shop(revenue=EUR), (STABILITY,)),
    ("Stability in euro, old rate", U, shop(revenue=EUR, rates=rate("1.1", date(2026, 1, 1))), (STABILITY,)),
    ("Stability in euro, a rate to come", U, shop(revenue=EUR, rates=rate("1.1", date(2027, 1, 1))), (STABILITY,)),
    ("Stability NC, production", D, SHOP, (STABILITY_NC,)),
    ("Stability NC, tests", C, TESTING, (STABILITY_NC,)),
    # Krea, LTX: the amount itself is beyond.
    ("Krea at exactly a million", D, shop(revenue=usd(1_000_000)), (KREA,)),
    ("Krea below, text not read", U, shop(revenue=usd(999_999)), (KREA,)),
    ("LTXV at ten million", D, shop(revenue=usd(10_000_000)), (LTXV,)),
    ("LTXV just below", C, shop(revenue=usd(9_999_999)), (LTXV,)),
    ("LTXV at ten million, paid", C, shop(revenue=usd(10_000_000), paid=(LTXV,)), (LTXV,)),
    ("LTX-2 at ten million", D, shop(revenue=usd(10_000_000)), (LTX_2,)),
    # Territories: recipients count, not servers alone.
    ("Hunyuan 3D in Singapore", C, SHOP, (HUNYUAN,)),
    (
        "Hunyuan 3D, a recipient in Germany",
        D,
        shop(territories={**SHOP.territories, "recipients": frozenset({"SG", "DE"})}),
        (HUNYUAN,),
    ),
    ("Hunyuan 3D in Korea", D, shop(territory={"KR"}), (HUNYUAN,)),
    ("Hunyuan 3D in Réunion, of the Union", D, shop(territory={"RE"}), (HUNYUAN,)),
    ("Hunyuan 3D, territory not known", U, shop(territories={}), (HUNYUAN,)),
    (
        "Hunyuan 3D, recipients not known",
        U,
        shop(territories={k: v for k, v in SHOP.territories.items() if k != "recipients"}),
        (HUNYUAN,),
    ),
    ("Hunyuan 3D, more than a million users", D, shop(mau=1_000_001), (HUNYUAN,)),
    ("Hunyuan DiT in the United Kingdom", C, shop(territory={"GB"}), (HUNYUAN_DIT,)),
    ("Hunyuan DiT in France", D, shop(territory={"FR"}), (HUNYUAN_DIT,)),
    ("Hunyuan image, text not read", U, SHOP, (HUNYUAN_IMAGE,)),
    ("Hunyuan image in the Union", D, shop(territory={"IT"}), (HUNYUAN_IMAGE,)),
    ("MiniMax in the United States", D, shop(territory={"US"}), (MINIMAX,)),
    ("MiniMax in Puerto Rico", D, shop(territory={"PR"}), (MINIMAX,)),
    ("MiniMax in Singapore, text not read", U, SHOP, (MINIMAX,)),
    # Not for trade.
    ("FLUX.1 dev, production", D, SHOP, (FLUX,)),
    ("FLUX.1 dev, tests", C, TESTING, (FLUX,)),
    ("FLUX.1 dev, tests that leave the house", D, replace(TESTING, delivery="hosted_service"), (FLUX,)),
    ("FLUX.1 dev, research in production", D, shop(use="internal_research"), (FLUX,)),
    ("FLUX.1 dev, use not said", U, shop(use=None), (FLUX,)),
    ("FLUX.1 dev, models learn from outputs", D, replace(TESTING, actions=("train_on_outputs",)), (FLUX,)),
    ("FLUX.1 dev, military", D, replace(TESTING, content_flags=("military",)), (FLUX,)),
    ("FLUX.1.1.1, production", D, SHOP, (FLUX_111,)),
    ("FLUX.2, production", D, SHOP, (FLUX_2,)),
    ("Ideogram, production", D, SHOP, (IDEOGRAM,)),
    ("DeepFloyd, advertising", D, SHOP, (IF,)),
    ("DeepFloyd, research", C, RESEARCH, (IF,)),
    ("DeepFloyd, a company's tests", U, TESTING, (IF,)),
    ("NVIDIA's source code licence", D, SHOP, (NSCL,)),
    ("Apple's research licence", D, SHOP, (APPLE,)),
    ("Apple's research licence, tests", D, TESTING, (APPLE,)),
    ("InsightFace", D, SHOP, (INSIGHT,)),
    ("InsightFace, research", U, RESEARCH, (INSIGHT,)),
    ("CC-BY-NC, a company's tests", U, TESTING, ("CC-BY-NC-4.0",)),
    # Open RAIL and others with duties.
    ("Stable Diffusion 1, pictures", C, SHOP, (SD1,)),
    ("SDXL, a service", C, SERVICE, (SDXL,)),
    ("SDXL, medical advice", D, shop(content_flags=("medical_advice",)), (SDXL,)),
    ("Gemma as an encoder", C, SHOP, ("Apache-2.0", part(GEMMA, "text_encoder"))),
    ("Llama below 700 million", C, SHOP, (LLAMA,)),
    ("Llama above", D, shop(mau=700_000_001), (LLAMA,)),
    ("NVIDIA open model", C, SHOP, (NVIDIA,)),
    ("Playground above a million, another business", C, shop(muu=2_000_000), (PLAYGROUND,)),
    ("Playground above a million, its business", D, shop(muu=2_000_000, image_core_business=True), (PLAYGROUND,)),
    ("Playground above a million, business not said", U, shop(muu=2_000_000, image_core_business=None), (PLAYGROUND,)),
    ("Playground, users not known, its business", U, shop(muu=None, image_core_business=True), (PLAYGROUND,)),
    ("Playground, models learn from outputs", D, shop(actions=("train_on_outputs",)), (PLAYGROUND,)),
    ("Playground 2.5, text not read", U, SHOP, (PLAYGROUND_25,)),
    ("CogVideoX, registered", C, SHOP, (COG,)),
    ("CogVideoX, 1,000,001 visits", D, shop(visits=1_000_001), (COG,)),
    ("CogVideoX, visits not known", U, shop(visits=None), (COG,)),
    # Components: the strictest decides.
    ("SDXL and a LoRA not for trade", D, SHOP, (SDXL, part("CC-BY-NC-4.0", "adapter"))),
    ("Apache and an encoder not for trade", D, SHOP, ("Apache-2.0", part("CC-BY-NC-4.0", "text_encoder"))),
    ("Apache and photographs not for trade", D, SHOP, ("Apache-2.0", part("CC-BY-NC-SA-4.0", "training_data"))),
    ("Apache and data to be credited", C, SHOP, ("Apache-2.0", part("CC-BY-4.0", "training_data"))),
    ("Apache and share-alike data", C, SHOP, ("Apache-2.0", part("CC-BY-SA-4.0", "training_data"))),
    ("Apache and data not to be changed", U, SHOP, ("Apache-2.0", part("CC-BY-ND-4.0", "training_data"))),
    ("A tune of data not to be changed", D, shop(actions=("lora",)), (part("CC-BY-ND-4.0", "training_data"),)),
    ("Shap-E: MIT, and what its card advises", C, SHOP, (part("MIT", note="card: not for commercial purposes"),)),
    # What is not known is not allowed.
    ("no licence file", U, SHOP, (Component("denoiser", "net"),)),
    ("Apache and a part without licence", U, SHOP, ("Apache-2.0", Component("autoencoder", "vae"))),
    ("Apache by its text", A, SHOP, (read(APACHE, tags=("apache-2.0",)),)),
    ("Apache, one word changed", U, SHOP, (read(APACHE.replace("royalty-free", "royal"), tags=("apache-2.0",)),)),
    ("a tag without text", U, SHOP, (read(tags=("apache-2.0",)),)),
    ("a tag that is not for trade", D, SHOP, (read(tags=("cc-by-nc-4.0",)),)),
    ("SDXL-Turbo: tag against text", U, SHOP, (read(WORDS[STABILITY], tags=("sai-nc-community",)),)),
    ("SDXL-Turbo: its text alone", C, SHOP, (read(WORDS[STABILITY]),)),
    ("PixArt: two tags", U, SHOP, (read(tags=("openrail", "openrail++")),)),
    ("FLUX.1 dev by its text, tests", C, TESTING, (read(WORDS[FLUX], tags=(FLUX,)),)),
    ("an edited text", U, TESTING, (read(WORDS[FLUX].replace("not", "also")),)),
    ("an edited text and its tag", U, TESTING, (read(WORDS[FLUX].replace("not", "also"), tags=(FLUX,)),)),
    ("two texts", U, SHOP, (read(WORDS[STABILITY], APACHE),)),
    # Sixteen records have no hash of their text: the genuine one, signed or not, is one that is on no record.
    (
        "SDXL with a text, as it is fetched",
        U,
        SHOP,
        (read("CreativeML Open RAIL++-M License …", tags=("openrail++",)),),
    ),
    ("no components", U, SHOP, ()),
    ("not signed", U, shop(signed={}), (SD1,)),
    ("not signed, and not for trade", D, shop(signed={}), (FLUX,)),
    ("signed 180 days ago", C, shop(signed=signatures(TODAY - timedelta(days=180))), (SD1,)),
    ("signed 181 days ago", U, shop(signed=signatures(TODAY - timedelta(days=181))), (SD1,)),
    ("signed tomorrow", U, shop(signed=signatures(TODAY + timedelta(days=1))), (SD1,)),
    ("another version signed", U, shop(signed={SD1: Signature("A. Counsel", TODAY, "0" * 64)}), (SD1,)),
]


@pytest.mark.parametrize(("decision", "facts", "parts"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_case(decision: str, facts: Facts, parts: tuple[str | Component, ...]) -> None:
    assert found(facts, *parts).decision.word == decision


def test_what_is_read_is_read_as_it_lies() -> None:
    """The cases that read texts and tags come to the kinds that they are named for."""
    kinds = {name: part.evidence for name, _, _, parts in CASES for part in parts if isinstance(part, Component)}
    assert kinds["SDXL-Turbo: tag against text"] == "clash" and kinds["PixArt: two tags"] == "ambiguous"
    assert kinds["an edited text"] == kinds["SDXL with a text, as it is fetched"] == "edited"
    assert kinds["two texts"] == "ambiguous" and kinds["SDXL-Turbo: its text alone"] == "text"
    without = [one.id for one in LIBRARY.all() if not one.text_sha256]
    assert (
        SDXL in without and len(without) == 16 and f"{len(without)} of the {len(list(LIBRARY.all()))} records" in PAGE
    )


def test_there_are_enough() -> None:
    assert len(CASES) >= 60 and len({case[0] for case in CASES}) == len(CASES)


BLOCKS = [
    ("Stability, not registered", "registration", shop(registrations=()), STABILITY),
    ("CogVideoX, not registered", "registration", shop(registrations=()), COG),
    ("FLUX.1.1.1, no filter", "content_filter", replace(TESTING, safeguards=("human_review",)), FLUX_111),
    ("FLUX.2, neither filter nor review", "content_filter", replace(TESTING, safeguards=()), FLUX_2),
    ("FLUX.2, safeguards not said", "content_filter", replace(TESTING, safeguards=None), FLUX_2),
    ("Stability, a service without its name", "attribution", shop(delivery="hosted_service", met=()), STABILITY),
    ("SDXL, a service whose terms bind nobody", "use_restrictions", shop(delivery="hosted_service", met=()), SDXL),
    ("Hunyuan, a service without copies", "license_copy", shop(delivery="hosted_service", met=()), HUNYUAN),
]


@pytest.mark.parametrize(("id", "facts", "licence"), [c[1:] for c in BLOCKS], ids=[c[0] for c in BLOCKS])
def test_a_condition_that_is_due_blocks(id: str, facts: Facts, licence: str) -> None:
    verdict = found(facts, licence)
    assert id in {reason.condition.id for reason in verdict.blocking if reason.condition}
    assert verdict.refusal is not None


@pytest.mark.parametrize("licence", [STABILITY, SDXL, COG, "Apache-2.0"])
def test_what_is_met_does_not_block(licence: str) -> None:
    assert found(SERVICE, licence).blocking == () and found(SERVICE, licence).refusal is None


def test_a_condition_may_be_met_for_one_licence_alone() -> None:
    facts = shop(delivery="hosted_service", met=(f"{SDXL}:use_restrictions", "license_copy", "notice_file"))
    assert not found(facts, SDXL).blocking
    assert {r.licence for r in found(facts, SDXL, SD1).blocking} == {SD1}


def test_reviewing_by_hand_does_where_the_licence_says_so() -> None:
    held = replace(TESTING, safeguards=("human_review",))
    assert "content_filter" not in {r.code for r in found(held, FLUX_2).blocking}


def test_every_reason_has_the_words_it_rests_on() -> None:
    for reason in found(SHOP, FLUX, STABILITY, HUNYUAN).reasons:
        assert (
            reason.text and reason.component and (not reason.kind or (reason.quote and reason.clause and reason.source))
        )


def test_the_signature_that_ends_first_bounds_the_verdict() -> None:
    early = {
        **signatures(),
        SDXL: Signature("A. Counsel", TODAY - timedelta(days=100), signatures()[SDXL].record_sha256),
    }
    assert found(shop(signed=early), SD1, SDXL).expires == TODAY + timedelta(days=80)
    assert found(SHOP, "Apache-2.0").expires is None


def test_an_adapter_of_ones_own_must_be_named() -> None:
    own = Component("adapter", "bag", evidence="own", sha256="ab" * 32)
    assert found(SHOP, "Apache-2.0", own).decision.word == U
    assert found(shop(own_adapters=("abababababab",)), "Apache-2.0", own).decision.word == A
    assert found(shop(own_adapters=("ab",)), "Apache-2.0", own).decision.word == U  # too short to mean one file
