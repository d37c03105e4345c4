"""The output gate: every picture is looked at before it leaves the process.

Its checks, each a file: ``sanity`` (finite, of the size asked, not empty), ``nsfw`` (two classifiers), ``people``
(faces), ``text`` (read, then put to the prompt gate), ``marks`` (banned marks), ``copies`` (near-copies of protected
pictures, of training pictures, of earlier outputs), ``colours`` (the brand's palette).  ``filters`` finds their files
and refuses changed ones, ``policy`` says what each leads to, ``gate`` is all of it.  A check that fails blocks.
"""
