"""Licences: records with their quotes, what an organisation declares of itself, and the verdict on a model in a use.

``records/`` holds one TOML file a licence version.  ``judge`` applies the terms of every component of a model to the
facts; the strictest finding decides, so that one more component never loosens a verdict, and what is not known is never
allowed.  Nothing here is legal advice: a record that nobody has signed gives ``unknown``.
"""
