"""Models without torch: written once as ONNX or OpenVINO with a plan in numbers, then run by numpy and that runtime.

Where it lies, and why: beside serving, the last layer before the command line, for it is one more way to make pictures
of the same words: it uses what ``making`` knows of requests, prompts and pictures, and ``governance`` of receipts.
Writing (``solved``, ``graph``, ``write``) needs torch; running (``plan``, ``folder``, ``runtime``, ``job``, ``run``)
must never import it, which a test holds.
"""
