"""Few calls for the same picture: solvers and grids that are fitted to a model."""
