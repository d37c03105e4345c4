"""The prompt gate: every text of a request is read before anything is made.

Its steps, each a file: ``structure`` (limits), ``canonical`` and ``views`` (what a text says under its disguises),
``lexicon`` and ``match`` (curated words), ``conjunction`` (rules that nothing switches off), ``names`` (an
organisation's lists, hashed), ``brand`` (its own rules), ``policy`` (what a finding leads to), ``gate`` (all of it),
``audit`` (what is written down).  A gate that cannot run blocks.
"""
