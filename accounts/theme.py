"""The provider's colour as CSS custom properties that can be read, whatever colour it is.

Contrast is the ratio of WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio); text needs 4.5.
"""

import re
from functools import lru_cache

FALLBACK = "#0b5cad"
READABLE = 4.5

# Surfaces of base.css the accent colour stands on.
_LIGHT, _DARK = "#f1f4f8", "#2a2f36"
_WHITE, _BLACK = "#ffffff", "#000000"


@lru_cache(maxsize=8)
def stylesheet(colour: str) -> str:
    """The style sheet for a colour written #rrggbb; anything else gives the one of FALLBACK."""
    brand = colour.lower() if re.fullmatch(r"#[0-9a-fA-F]{6}", colour) else FALLBACK
    on_brand = _WHITE if contrast(brand, _WHITE) >= contrast(brand, _BLACK) else _BLACK
    return (
        f":root{{--brand:{brand};--on-brand:{on_brand};"
        f"--accent:{_readable(brand, on=_LIGHT, towards=_BLACK)};--tint:{mixed(brand, _WHITE, 0.93)}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{"
        f"--accent:{_readable(brand, on=_DARK, towards=_WHITE)};--tint:{mixed(brand, '#1d2127', 0.82)}}}}}\n"
    )


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mixed(colour: str, into: str, share: float) -> str:
    """The colour with a share (0 to 1) of another one."""
    pairs = zip(_channels(colour), _channels(into), strict=True)
    return "#" + "".join(f"{round(one * (1 - share) + other * share):02x}" for one, other in pairs)


def _readable(colour: str, *, on: str, towards: str) -> str:
    """The colour, mixed with white or black until it can be read on a surface."""
    steps = (mixed(colour, towards, step / 20) for step in range(20))
    return next((step for step in steps if contrast(step, on) >= READABLE), towards)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in _channels(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
