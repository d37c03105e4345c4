"""``distill``: a model in, one that makes few calls out, or an adapter that makes few calls of it."""
