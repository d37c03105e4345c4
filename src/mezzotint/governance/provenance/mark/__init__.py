"""An invisible mark in a picture's pixels, which only a key finds: it outlives the file, and a credential does not."""
