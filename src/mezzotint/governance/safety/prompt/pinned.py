"""SHA-256 of the gate's files, as they ship.  Written by a script of the tests."""

FILES = {
    "en.toml": "ed2b7f641ee869eee0ecd5a82d498ce6dd99dd7d1b9cd4af06a288ce9af0d2fe",
    "fil.toml": "3e364e6ddf821a70e5bc7275d00cf98fcd993475e2c2f8086815ba2dd350c047",
    "head-languages.safetensors": "f1498a66da9b2e9cd56dae2b524fc3db7530efd5299cccdeb78cbc378d9d20cb",
    "head.safetensors": "27e25b50c6f94670625046cac63686769236a38de763b5a3f8a54991fc874cc3",
    "id.toml": "b10718e2ff13342d71363ccf1324b7908d0e151d51b058a4a96388958301a25b",
    "ms.toml": "3c670a62cedc80071131925dc0c822f54e316215fd6cde98afb7c3c81afe3799",
    "ta.toml": "3b0767c228c0ccb8cbd6b5863a0e3b3330a85e6512c48b1d4929d76fe9564499",
    "th.toml": "64369df52fa53ae2522c767ceda421d9ff8a94576180ffeb031fce0a21053d98",
    "vi.toml": "b78d8b74e5a3db6e4b5a97830c16a9d22fb89605b3142649c73c8170a45db0e4",
    "zh.toml": "fb1f56667b06f74fb8fc186a124fe4ca80defcf81251de77539667d9905886e8",
}
