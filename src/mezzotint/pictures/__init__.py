"""Pictures as files: PNG with text, contact sheets, film strips and animations.  Pixels are uint8 (H, W, C) arrays."""
