"""The engine: batches made, gated, saved and settled, by any number of workers, through whatever happens."""
