"""SHA-256 of the gate's files, as they ship.  Written by a script of the tests."""

FILES = {
    "en.toml": "72c758bf64318b85894a3d11eeeb269ae659c4382d18bd8ce9372ed9df6f3765",
    "fil.toml": "3e364e6ddf821a70e5bc7275d00cf98fcd993475e2c2f8086815ba2dd350c047",
    "head.safetensors": "f8c247d7d676c4f75f2e0c5dc9ed9971e1eae15442504078566ba1bc2c2913bb",
    "id.toml": "b10718e2ff13342d71363ccf1324b7908d0e151d51b058a4a96388958301a25b",
    "ms.toml": "aafa8637786753f35efd6002b45b6a9a1472595cc4043d3fde73d1aa45426a05",
    "ta.toml": "3b0767c228c0ccb8cbd6b5863a0e3b3330a85e6512c48b1d4929d76fe9564499",
    "th.toml": "64369df52fa53ae2522c767ceda421d9ff8a94576180ffeb031fce0a21053d98",
    "vi.toml": "b78d8b74e5a3db6e4b5a97830c16a9d22fb89605b3142649c73c8170a45db0e4",
    "zh.toml": "fb1f56667b06f74fb8fc186a124fe4ca80defcf81251de77539667d9905886e8",
}
