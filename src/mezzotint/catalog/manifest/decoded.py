"""A manifest's bytes as text: UTF-8, with or without its mark, or UTF-16 with it; rows in anything else are named."""

from __future__ import annotations

import codecs

from mezzotint.catalog.manifest.problem import Problem


def decoded(data: bytes) -> tuple[str, tuple[Problem, ...]]:
    """The text, and a problem for each line that is in another encoding; such lines read as Windows-1252."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig"), ()
    except UnicodeDecodeError as error:
        if wide:
            return "", (Problem(0, "", "", f"is damaged UTF-16 ({error.reason}); save it as UTF-8"),)
        return _mended(data.removeprefix(codecs.BOM_UTF8))


def _mended(data: bytes) -> tuple[str, tuple[Problem, ...]]:
    lines, problems = list[str](), list[Problem]()
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            lines.append(line.decode("cp1252", "replace"))
            odd = next(word for word in line.split(b",") if not _is_utf8(word)).decode("cp1252", "replace").strip()
            what = "is not UTF-8; save the whole file as UTF-8"
            problems.append(Problem(number, "", odd, what, f"{odd!r}, if it is Windows-1252"))
    return "\n".join(lines), tuple(problems)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
