"""Evaluations as one HTML file that needs nothing else: the table, and the pictures side by side."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

from mezzotint.evaluation.report import Report, cells, copies_said

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 78rem; padding: 0 1rem; color: #1c1c1c }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse } th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top }
th { border-bottom: 2px solid #1c1c1c } td { border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums }
.pictures td { width: 16rem } .pictures td:first-child { width: 14rem } img { display: block; max-width: 100% }
"""


def row(tag: str, values: Sequence[str]) -> str:
    """A row of a table; the values are HTML."""
    return "<tr>" + "".join(f"<{tag}>{value}</{tag}>" for value in values) + "</tr>"


def image(data: bytes, said: str) -> str:
    """A PNG file within the page; said: what it shows."""
    return f'<img alt="{escape(said, quote=True)}" src="data:image/png;base64,{base64.b64encode(data).decode()}">'


def page(
    reports: Sequence[Report], prompts: Sequence[str], shown: Mapping[str, Sequence[bytes]], real: Sequence[bytes]
) -> str:
    """The page.

    Args: prompts: of the pictures that are shown.  shown: model -> a PNG for each of them.  real: as many real
            pictures.
    Raises UsageError where the evaluations do not compare.
    """
    head, rows = cells(reports)
    first = reports[0]
    body = [
        f"<h1>{escape(' · '.join(r.model for r in reports))}</h1>",
        f"<p>{first.n} pictures each. Trial: {escape(first.trial)}, reference",
        f"<code>{first.reference_sha256[:16]}</code>, features <code>{escape(first.features)}</code>.",
        "In brackets 95 % intervals.",
        f"{escape(copies_said(reports).capitalize())}</p>",
        "<table>" + row("th", [escape(h) for h in head]),
        *(row("td", [escape(c) for c in each]) for each in rows),
        "</table><h2>How they were made</h2><ul>",
        *(f"<li>{escape(r.model)}: {escape(r.cost.training or 'its card does not say')}</li>" for r in reports),
        '</ul><h2>Pictures</h2><table class="pictures">',
        row("th", ["prompt", *(escape(r.model) for r in reports), "a real picture"]),
    ]
    for k, prompt in enumerate(prompts):
        made = [image(shown[r.model][k], f"{prompt}, by {r.model}") for r in reports]
        body.append(row("td", [escape(prompt), *made, image(real[k], f"{prompt}, photographed")]))
    title = escape(", ".join(r.model for r in reports))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Evaluation: {title}</title>'
        f"<style>{STYLE}</style><body>{''.join(body)}</table></body></html>\n"
    )
