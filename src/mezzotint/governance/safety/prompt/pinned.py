"""SHA-256 of the gate's files, as they ship.  Written by a script of the tests."""

FILES = {
    "en.toml": "1eefbc9888bc07814ab6e95de0ae9e18e620b4e89ed2a0f3f9860cbdcc8151ce",
    "fil.toml": "33e9d44130e92058b382355cc9ab4b59ea4bc6fe3c805bf0f3836f07d285b09f",
    "head-languages.safetensors": "f1498a66da9b2e9cd56dae2b524fc3db7530efd5299cccdeb78cbc378d9d20cb",
    "head.safetensors": "27e25b50c6f94670625046cac63686769236a38de763b5a3f8a54991fc874cc3",
    "id.toml": "4dc45c25a68cc8d2c97cb666c374837385e6f1f9c228c4f2c6f81186666d2f18",
    "ms.toml": "1c1fa41b71d6eb8635801e0b96e4ca322e3efc50e953eec0e14caa698a8c448c",
    "ta.toml": "2a572ab3ac874ecb28db8e737b4acf50b840fecca194afe23a02af8f05c726a8",
    "th.toml": "993c1bd09db05c469a98772d34cdcdd3b681ae8bd5a4f9a31ed4da9fcf7db9a1",
    "vi.toml": "b67413ecdd14ce69ce2dd639a9ae0ced37e056ea373b70ab748fda6849d91026",
    "zh.toml": "9f7d3de4f120b74d2a400745a9dd553bd1dbcbea44a5ad368bb15811c172614f",
}
