"""Prompts in other languages: what is understood is what was said, and the rest is named."""

from __future__ import annotations

import pytest

from mezzotint.products.phrases import languages, read, read_whole, words_of
from mezzotint.products.vocabulary import vocabulary

SAME = {
    "de": "ein roter Sessel vor beigem Hintergrund, von der Seite",
    "fr": "un fauteuil rouge sur fond beige, de profil",
    "es": "un sillón rojo sobre un fondo beige, de lado",
    "it": "una poltrona rossa su sfondo beige, di lato",
    "nl": "een rode fauteuil op een beige achtergrond, van opzij",
    "vi": "ghế bành màu đỏ trên nền màu be, nhìn từ bên cạnh",
    "zh": "一把红色的扶手椅,米色背景,侧面",
    "id": "kursi berlengan merah dengan latar belakang krem, tampak samping",
    "ms": "kerusi tangan merah, latar belakang krim, pandangan sisi",
    "th": "เก้าอี้เท้าแขนสีแดง พื้นหลังสีเบจ ด้านข้าง",
    "fil": "pulang silyon sa krema na likuran, tanaw sa gilid",
}


@pytest.mark.parametrize("code", SAME)
def test_one_scene_in_many_languages(code: str) -> None:
    found = read(SAME[code])
    assert (found.language, found.english) == (code, "a red armchair on a beige background, side view"), found


@pytest.mark.parametrize(
    "prompt",
    [
        "a red armchair on a beige background",
        "oak table",
        "crimson sofa, side view",
        "refrigerator",
        "a car",
        "",
        "123 !",
    ],
)
def test_english_is_left_as_it_is(prompt: str) -> None:
    assert read(prompt).english == prompt and read(prompt).language == ""


def test_what_is_not_understood_is_named() -> None:
    found = read("sofa biru yang sangat nyaman, latar putih")
    assert found.english == "a blue sofa on a white background"
    assert {"sangat", "nyaman"} <= set(found.unknown)


CAR = {
    "de": "ein rotes Auto",
    "fr": "une voiture rouge",
    "es": "un coche rojo",
    "it": "una macchina rossa",
    "pt": "um carro vermelho",
    "nl": "een rode auto",
    "sv": "en röd bil",
    "fi": "punainen auto",
    "pl": "czerwony samochód",
    "cs": "červené auto",
    "hu": "piros autó",
    "tr": "kırmızı araba",
    "ru": "красный автомобиль",
    "bg": "червена кола",
    "el": "κόκκινο αυτοκίνητο",
    "ja": "赤い車",
}


@pytest.mark.parametrize("code", CAR)
def test_everyday_names_are_known_in_every_language_of_the_catalog(code: str) -> None:
    found = read(CAR[code])
    assert (found.language, found.english) == (code, "a red car"), found


@pytest.mark.parametrize("prompt", ["four cats", "a smart plot", "police present"])
def test_words_that_are_english_too_make_no_other_language(prompt: str) -> None:
    assert read(prompt).english == prompt
    assert read("un four rouge").english == "a red oven"


SAID = {
    "de": "ein rotes Auto auf einem weißen Hintergrund, von vorn",
    "fr": "une voiture rouge sur un fond blanc, photo",
    "es": "una foto de un coche rojo sobre el fondo blanco",
    "it": "una foto della macchina rossa su uno sfondo bianco",
    "pt": "um carro vermelho num fundo branco",
    "nl": "een rode auto voor een witte achtergrond",
    "sv": "en röd bil mot den vita bakgrunden",
    "pl": "czerwony samochód na białym tle, zdjęcie",
    "cs": "červené auto na bílém pozadí",
    "tr": "beyaz arka plan üzerinde kırmızı bir araba",
    "vi": "một chiếc ghế màu đỏ trên nền trắng",
    "id": "sebuah kursi merah dengan latar belakang putih",
    "ms": "sebuah kerusi merah dengan latar belakang putih",
}
"""A thing, its colour and a background, with the small words that people write."""


@pytest.mark.parametrize("code", SAID)
def test_articles_are_not_said_to_be_left_out(code: str) -> None:
    found = read(SAID[code])
    assert " red " in found.english, found
    assert "white background" in found.english, found
    assert found.unknown == (), found


def test_a_word_that_turns_a_meaning_around_is_said_to_be_left_out() -> None:
    for prompt, word in [("ein rotes Auto ohne Hintergrund", "ohne"), ("un coche rojo sin fondo", "sin")]:
        assert read(prompt).unknown == (word,)


def test_marks_are_no_ends_of_words() -> None:
    assert words_of("आसमानी कुर्सी, 2 می\u200cخواهم cafe\u0301_x") == [
        "आसमानी",
        "कुर्सी",
        "می\u200cخواهم",
        "cafe\u0301",
        "x",
    ]
    assert words_of("\u0301 \u200d 42 _") == []
    assert "ฟ้าผ่ากึ่ง" in read("เก้าอี้สีแดง ฟ้าผ่ากึ่ง").unknown, "which has four marks"


def test_a_prompt_is_read_whole_or_not() -> None:
    assert read_whole("красный стул на белом фоне") == "a red chair on a white background"
    for partly in ("красный удобный стул", "стул 5", "краснокожий стул", "a red chair"):
        assert read_whole(partly) == "", partly


def test_unknown_scripts_go_on_as_they_are() -> None:
    assert read("ᚠᚢᚦᚨᚱᚲ").english == "ᚠᚢᚦᚨᚱᚲ"


def test_gradients_and_materials() -> None:
    assert read("blauer Stuhl, grauer Verlauf Hintergrund").english == "a blue chair on a gray gradient background"
    assert read("mobil hijau, latar belakang kayu").english == "a green car on a wood background"


def test_every_language_has_all_words() -> None:
    for code, language in languages().items():
        meant = set(language.meanings.values())
        missing = {
            *[
                "red",
                "orange",
                "yellow",
                "green",
                "blue",
                "white",
                "gray",
                "black",
                "background",
                "front",
                "side",
                "back",
            ]
        } - meant
        assert not missing, (code, missing)
        assert len(meant & set(vocabulary().words)) >= 25, code


@pytest.mark.parametrize("prompt", ["красный " * 5000, "椅" * 50_000, "(" * 1000, "\\d+ [a-z" * 50])
def test_hostile_prompts_are_read_in_time(prompt: str) -> None:
    read(prompt)
