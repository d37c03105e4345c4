"""Names of weights in the original layout and in diffusers', both ways, by rule: any depth, any number of blocks."""
