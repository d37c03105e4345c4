"""SHA-256 of the gate's files, as they ship.  Written by a script of the tests."""

FILES = {
    "en.toml": "b0b64756990b475d55d4cf0a13d075298bb36b7630b87437ad0eb487d846f889",
    "fil.toml": "33e9d44130e92058b382355cc9ab4b59ea4bc6fe3c805bf0f3836f07d285b09f",
    "head-languages.safetensors": "f1498a66da9b2e9cd56dae2b524fc3db7530efd5299cccdeb78cbc378d9d20cb",
    "head.safetensors": "27e25b50c6f94670625046cac63686769236a38de763b5a3f8a54991fc874cc3",
    "id.toml": "67a1e56c7766cdb750f046a6c6a78fe71f78c466ce5b374170be2a8d84787880",
    "ms.toml": "1c1fa41b71d6eb8635801e0b96e4ca322e3efc50e953eec0e14caa698a8c448c",
    "ta.toml": "2ab7795a2db6c3685125223909a0894ab56450dc162f61b1781c77a69a661efb",
    "th.toml": "a17287f189a1133a723188abe85e07091934bc8fd73c8c61c9c913558de26931",
    "vi.toml": "fe2eaaec67c3cf1a098467ce714368a600d06fa7e367c983a496ab0cf6cea7ac",
    "zh.toml": "0ee401ddede2c79867ba9efde3e65b15ca619071d616adb87b27f64d1926b4ee",
}
