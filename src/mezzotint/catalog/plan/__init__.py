"""The plan of a run: what is made, in which batches, at what price; fixed before anything is made."""
