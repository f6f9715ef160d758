"""A curve as a picture (SVG), with its points written beside it: the one picture these benchmarks need."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 56, 36, 44, 56


def curve(title: str, below: str, points: Sequence[tuple[float, float]]) -> str:
    """Return the picture of some points: x in powers of ten, y from 0 on."""
    most = max(y for _, y in points) or 1.0
    step = 10 ** math.floor(math.log10(most))
    top = step * math.ceil(most / step)
    first, last = math.log10(points[0][0]), math.log10(points[-1][0])

    def at(x: float, y: float) -> tuple[float, float]:
        part = (math.log10(x) - first) / ((last - first) or 1.0)
        return LEFT + part * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM)

    places = [at(x, y) for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    made = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" fill="#1b1f24">{escape(title)}</text>',
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 12}" text-anchor="middle" fill="#57606a">{escape(below)}</text>',
    ]
    for line in range(5):
        value = top * line / 4
        _, y = at(points[0][0], value)
        made.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d0d7de"/>')
        made.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#57606a">{value:g}</text>')
    made.append(f'<polyline points="{path}" fill="none" stroke="#0a66c2" stroke-width="2.5"/>')
    for (x, y), (size, value) in zip(places, points, strict=True):
        made.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#0a66c2"/>')
        made.append(f'<text x="{x:.1f}" y="{y - 10:.1f}" text-anchor="middle" fill="#1b1f24">{value:.2g}</text>')
        made.append(
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#57606a">{size:,.0f}</text>'
        )
    return "\n".join([*made, "</svg>"]) + "\n"
