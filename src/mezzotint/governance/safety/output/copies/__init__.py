"""Near-copies: ``sign`` makes a picture's signature, ``match`` compares two, ``registry`` keeps those of many.

Crops, flips, small turns, other sizes and banners count as copies; another picture of the same thing does not.
"""
