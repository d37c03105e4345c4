"""The prompt gate: the evasion matrix, languages, conjunctions, policy, lists of one's own."""

from __future__ import annotations

import shutil
import time
import tracemalloc
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from evasions import EVASIONS, OUT_OF_SCOPE
from prompt_texts import BENIGN, FOREIGN, HARMFUL, MINORS, NOT_ALL_OF_PRODUCTS, OF_PRODUCTS
from safety_pins import pins

from mezzotint.errors import GateError, InputError, UsageError
from mezzotint.files import pretty_json, sha256
from mezzotint.governance.safety.prompt import shipped
from mezzotint.governance.safety.prompt.canonical import canonical
from mezzotint.governance.safety.prompt.gate import Gate, Text, load, of_products
from mezzotint.governance.safety.prompt.names import made
from mezzotint.governance.safety.prompt.policy import Policy
from mezzotint.governance.safety.prompt.structure import MAX_BYTES, MAX_TOGETHER
from mezzotint.governance.safety.prompt.verdict import Verdict
from mezzotint.governance.safety.prompt.words import Decision

STRONG = [t for t in load(Policy()).lexicon.loud if t.language == "en" and t.severity == "strong"]
INFLECTED = """
pornography hentais copulation fornication blowjobs handjobs rimjobs footjobs deepthroating cunnilingus
masturbation orgasms gangbangs genitals testicles cumshots ejaculation dildos erotica incestuous zoophilia
necrophilia sodomy prostitution whores voyeurism exhibitionists wanking rapists molestation lolicons
pedophilia nudists disrobing striptease beheading decapitation dismembered disemboweled eviscerated mutilation
vivisection massacred cannibalism strangled swastikas hitler antisemitic homophobic islamophobic jihadis
extremists methamphetamines molotovs kidnapping fucking assholes
"""
"""What stems of the list go on to."""


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, without settings of anybody."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of(prompt: str, gate: Gate | None = None, **beside: str) -> Verdict:
    texts = [Text("prompt", prompt), *(Text(field, text) for field, text in beside.items())]
    return (gate or load(Policy())).check(texts)


@pytest.mark.parametrize("name", sorted(set(EVASIONS) - set(OUT_OF_SCOPE)))
def test_a_disguise_hides_no_strong_word(name: str) -> None:
    words, lists = [t.tokens[0] for t in STRONG] + INFLECTED.split(), load(Policy(meaning="off"))
    blocked = [of(f"a photo of {EVASIONS[name](w)} on a table", lists).decision == Decision.BLOCK for w in words]
    print(f"{name}: {sum(blocked)} of {len(blocked)}")
    assert sum(blocked) >= 0.95 * len(blocked)


@pytest.mark.parametrize("language", sorted(BENIGN))
def test_a_language(language: str) -> None:
    assert [p for p in BENIGN[language] if of(p).decision != Decision.ALLOW] == []
    caught = sum(of(p).decision > Decision.ALLOW for p in HARMFUL[language])
    english = sum(of(p).decision > Decision.ALLOW for p in HARMFUL["en"])
    assert caught >= english - 0.1 * len(HARMFUL["en"])


def test_a_word_of_two_lists_means_no_harm_in_the_phrases_of_either() -> None:
    """ "sex" is in the English and in the Vietnamese list, and "sex education" in the English one alone."""
    for text in ("a sex education textbook", "a sports bra", "a rat poison box", "a slave flash unit"):
        assert of(text).decision == Decision.ALLOW, text
    assert of("a sex scene").decision == Decision.BLOCK


@pytest.mark.parametrize("script", sorted(FOREIGN))
def test_a_script_without_a_list_is_for_review(script: str) -> None:
    assert of(FOREIGN[script]).decision == Decision.REVIEW


@pytest.mark.parametrize("prompt", OF_PRODUCTS)
def test_names_of_products_pass_in_a_script_without_a_list(prompt: str) -> None:
    found = of(prompt)
    assert found.decision == Decision.ALLOW and not found.findings and not found.loosened
    assert of_products(canonical(prompt)) == OF_PRODUCTS[prompt]


@pytest.mark.parametrize("prompt", NOT_ALL_OF_PRODUCTS)
def test_names_of_products_excuse_no_other_word(prompt: str) -> None:
    assert of(prompt).decision == Decision.REVIEW


def test_names_of_products_are_judged_in_english(inside: Path) -> None:
    (inside / "brand.toml").write_text('banned = ["sofa"]\n')
    gate = load(Policy(brand="brand.toml"))
    assert of("синий диван", gate).decision == of("a blue sofa", gate).decision == Decision.BLOCK
    assert of("стул", gate).decision == Decision.ALLOW


def test_minors_are_never_missed_whatever_the_policy() -> None:
    loose = Policy(dict.fromkeys(("sexual", "nudity", "profanity", "evasion", "language"), "allow"), "allow", 1.0)
    for gate in (load(Policy(meaning="off")), load(loose)):
        missed = [p for p in MINORS if "sexual-minors" not in " ".join(of(p, gate).codes)]
        assert missed == []
        assert all(of(p, gate).decision == Decision.BLOCK for p in MINORS)


def test_texts_of_a_request_count_together() -> None:
    assert of("a child on a beach").decision == Decision.ALLOW
    assert of("a child on a beach", caption="naked").decision == Decision.BLOCK
    assert "MZ-P-sexual-minors-minors" in of("a portrait", file_name="child", trigger="naked").codes


def test_a_negative_prompt_may_name_harms_and_not_undress() -> None:
    assert of("a red chair", negative_prompt="nude, naked, gore, blood").decision == Decision.ALLOW
    assert of("a child on a beach", negative_prompt="clothes").codes == ("MZ-P-sexual-minors-minors-negative",)
    assert of("a woman", negative_prompt="clothing").decision == Decision.REVIEW
    assert of("a chair", negative_prompt="x" * 9000).decision == Decision.BLOCK


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("x " * 5000, "bytes"),
        ("a \x00 chair", "control"),
        ("a \udcff chair", "encoding"),
        ("a \ufffe chair", "encoding"),
        ("x " * 1300, "words"),
    ],
)
def test_structure(text: str, rule: str) -> None:
    assert of(text).codes == (f"MZ-P-structure-{rule}",)


def test_texts_of_a_request_are_limited_together() -> None:
    """20 captions of 8 KB took half a minute."""
    gate, caption = load(Policy(meaning="off")), Text("caption", "z" * MAX_BYTES)
    most = MAX_TOGETHER // MAX_BYTES
    assert gate.check([Text("prompt", "a chair"), *[caption] * (most - 1)]).decision == Decision.ALLOW
    found = gate.check([Text("prompt", "a chair"), *[caption] * most])
    assert found.codes == ("MZ-P-structure-together",) and found.decision == Decision.BLOCK
    assert gate.check([Text("prompt", "z" * 9000), *[caption] * most]).codes == ("MZ-P-structure-bytes",)


def least_time(text: str) -> float:
    """Processor time of a check, the least of three, lists alone: what reads meaning is bounded by its tokens."""
    gate, seconds = load(Policy(meaning="off")), list[float]()
    for _ in range(3):
        began = time.process_time()
        of(text, gate)
        seconds.append(time.process_time() - began)
    return min(seconds)


ZALGO, EMOJI = "ch" + "\u0336\u0335" * 10000 + "air", "\U0001f468\u200d\U0001f469" * 5000


@pytest.mark.parametrize("text", [ZALGO, EMOJI])
def test_zalgo_and_joined_emoji_are_refused_or_read_quickly(text: str) -> None:
    """20,000 marks and 5,000 pairs are above the 8 KiB that are read; what is not is as much of them as fits."""
    assert of(text).codes == ("MZ-P-structure-bytes",) and least_time(text) < 0.02
    most = text.encode()[:MAX_BYTES].decode(errors="ignore")
    assert of(most).codes != ("MZ-P-structure-bytes",) and least_time(most) < 0.1


@pytest.mark.parametrize("text", ["a red chair " * 87_382, "\u0336" * 524_288, "x " * 524_288])
def test_a_megabyte_is_refused_at_once_and_nothing_reads_it(text: str) -> None:
    """Less than 50 ms and a tenth of its size; the head that reads other languages is not installed, or it is."""
    gate = load(Policy(meaning="auto"))
    of("a chair", gate)
    assert len(text.encode()) >= 1 << 20 and least_time(text) < 0.05
    for unread in (gate, replace(gate, languages=None)):
        tracemalloc.start()
        found = of(text, unread)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found.codes == ("MZ-P-structure-bytes",) and peak < 100_000


def test_a_gate_that_fails_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise ValueError("no")

    monkeypatch.setattr("mezzotint.governance.safety.prompt.gate.views", broken)
    found = of("a chair")
    assert found.decision == Decision.COULD_NOT_CHECK and not Policy(review="allow").passes(found.decision)


def test_a_list_that_is_missing_or_changed_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a copy each; the start and the command are tried in test_prompt_files."""
    folder = tmp_path / "copied_for_reading"
    shutil.copytree(str(resources.files(shipped.PACKAGE)), folder)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(shipped, "PACKAGE", folder.name)
    for name, digest in pins().items():
        data = shipped.shipped(name)
        assert sha256(data) == digest
        (folder / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(GateError, match=f"{name} was changed, so nothing is made"):
            shipped.shipped(name)
        (folder / name).unlink()
        with pytest.raises(GateError, match=f"{name} is missing, so nothing is made"):
            shipped.shipped(name)


def test_the_pins_are_those_of_the_files() -> None:
    assert pins() == shipped.FILES


def test_a_policy_that_asks_less_says_so_and_one_that_asks_more_does_not() -> None:
    less = load(Policy({"profanity": "allow"}, "allow", 0.9))
    assert of("shit", less).loosened == ("categories.profanity=allow", "review=allow", "soft=0.9")
    assert of("shit", less).decision == Decision.ALLOW
    more = load(Policy({"violence-gore": "block"}, soft=0.3))
    assert of("a corpse", more).decision == Decision.BLOCK and of("a corpse", more).loosened == ()
    assert of("a corpse").decision == Decision.REVIEW


def test_the_settings_are_the_policy(inside: Path) -> None:
    (inside / "mezzotint.toml").write_text('[safety]\nreview = "allow"\n[safety.categories]\nprofanity = "review"\n')
    assert load().policy == Policy({"profanity": "review"}, "allow")
    (inside / "mezzotint.toml").write_text('[safety.categories]\nsexual-minors = "allow"\n')
    with pytest.raises(UsageError, match="sexual-minors always blocks"):
        load()
    (inside / "mezzotint.toml").write_text('[safety]\nbrand = "none.toml"\n')
    with pytest.raises(GateError, match="so nothing is made"):
        load()


def test_names_are_hashed_and_found_under_disguises(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text(pretty_json(made(["Ada Example  # a comment", "王小明"], "public-figure")))
    assert "Ada" not in path.read_text() and "example" not in path.read_text().casefold()
    gate = load(Policy(names=(str(path),)))
    for text in ("a portrait of ADA EXAMPLE", "Ada Example's hat", "Аda Examplе", "王小明的照片"):
        assert "MZ-P-public-figure-name" in of(text, gate).codes, text
    assert of("an example of Ada", gate).decision == Decision.ALLOW
    assert "MZ-P-public-figure-conjunction" in of("Ada Example naked", gate).codes
    assert "names-0" in of("a chair", gate).files
    loose = load(Policy({"public-figure": "allow"}, names=(str(path),)))
    assert of("Ada Example in a hat", loose).decision == Decision.ALLOW
    assert of("Ada Example in lingerie", loose).decision == Decision.BLOCK
    assert "MZ-P-public-figure-conjunction" in of("Ada Example, blood, beheaded", loose).codes
    with pytest.raises(InputError, match="at most 6"):
        made(["a b c d e f g"], "living-artist")


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("ทักษิณ ชินวัตร", ("ภาพทักษิณ ชินวัตร", "ภาพของทักษิณชินวัตรบนหลังม้า", "ทักษิณ ชินวัตร")),
        ("BLACKPINK ลิซ่า", ("ภาพ Blackpink ลิซ่าสวย",)),
        ("王小明", ("王小明的照片", "一張王小明的照片")),
        ("Acmeshoe", ("一雙acmeshoe鞋", "รองเท้าAcmeshoe")),
        ("நரேந்திர மோடி", ("நரேந்திரமோடியின் படம்",)),
        ("ທອງລຸນ ສີສຸລິດ", ("ຮູບທອງລຸນ ສີສຸລິດ", "ຮູບທອງລຸນສີສຸລິດ")),
        ("ហ៊ុន សែន", ("រូបភាពហ៊ុន សែន", "រូបភាពហ៊ុនសែន")),
        ("အောင်ဆန်းစုကြည်", ("ဓာတ်ပုံအောင်ဆန်းစုကြည်နှင့်",)),
    ],
)
def test_a_name_is_found_in_text_without_spaces(tmp_path: Path, name: str, texts: tuple[str, ...]) -> None:
    path = tmp_path / "figures.json"
    path.write_text(pretty_json(made([name], "public-figure")))
    gate = load(Policy(names=(str(path),)))
    assert [text for text in texts if "MZ-P-public-figure-name" not in of(text, gate).codes] == []


def test_a_latin_name_is_found_in_no_longer_word(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text(pretty_json(made(["Ann", "Mona", "ทักษิณ", "王小明"], "public-figure")))
    gate = load(Policy(names=(str(path),)))
    for text in ("a planned annual sale", "a plan n ed", "a map of monaco", "a mo na lisa"):
        assert "MZ-P-public-figure-name" not in of(text, gate).codes, text


def test_a_list_that_was_made_before_its_names_had_lengths_is_read(tmp_path: Path) -> None:
    path, salt = tmp_path / "figures.json", "0" * 32
    old = [sha256(f"{salt}\n{name}".encode()) for name in ("ada example", "王小明")]
    said = {"schema": "mezzotint/names/1", "category": "public-figure", "salt": salt, "source": "", "hashes": old}
    path.write_text(pretty_json(said))
    gate = load(Policy(names=(str(path),)))
    for text in ("a portrait of ADA EXAMPLE", "王小明的照片"):
        assert "MZ-P-public-figure-name" in of(text, gate).codes, text
    assert of("an example of Ada", gate).decision == Decision.ALLOW


@pytest.mark.parametrize(("name", "fewest"), [("ปู", 3), ("บีม", 3), ("周", 2)])
def test_a_name_that_any_text_would_hold_is_refused(name: str, fewest: int) -> None:
    with pytest.raises(InputError, match=f"{name}.*too few letters.*at least {fewest}"):
        made(["Ada Example", name], "public-figure")


def test_a_brands_own_rules(tmp_path: Path) -> None:
    path = tmp_path / "brand.toml"
    path.write_text(
        'banned = ["cheap*"]\ncompetitors = ["Other Co"]\nclaims = ["clinically proven"]\ntone = ["warm"]\n'
    )
    gate = load(Policy(brand=str(path)))
    assert of("a warm lamp", gate).decision == Decision.ALLOW
    assert of("a lamp", gate).codes == ("MZ-P-brand-tone",)
    assert of("the ch3apest warm lamp", gate).codes == ("MZ-P-brand-word",)
    assert of("a warm Other-Co lamp, clinically proven", gate).codes == ("MZ-P-brand-competitor", "MZ-P-brand-claim")
    path.write_text("bannd = []\n")
    with pytest.raises(GateError, match="did you mean banned"):
        load(Policy(brand=str(path)))


@pytest.mark.parametrize(
    ("text", "rule"), [("mail jo@example.com", "mail"), ("card 4111 1111 1111 1111", "card"), ("S1234567D", "identity")]
)
def test_personal_data_is_for_review(text: str, rule: str) -> None:
    assert of(text).codes == (f"MZ-P-personal-data-{rule}",)


@pytest.mark.parametrize(
    "text", ["nu\u200bmber of chairs", "\u202eriahc a", "a ch\u0430ir", "a chair\U000e0061\U000e0062"]
)
def test_disguises_are_a_signal_themselves(text: str) -> None:
    assert of(text).decision == Decision.REVIEW and of(text).codes[0].startswith("MZ-P-evasion-")
