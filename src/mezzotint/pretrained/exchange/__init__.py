"""Adapters as other tools have them: four layouts, written and converted without loss."""
