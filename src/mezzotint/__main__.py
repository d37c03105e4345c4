"""``python -m mezzotint`` is ``mezzotint``: torchrun and environments without scripts on the path need it."""

from mezzotint.cli import main

if __name__ == "__main__":
    main()
