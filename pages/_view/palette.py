"""The colours of every page and chart, each with one meaning, for the light and the dark ground.

The same values stand in `.streamlit/config.toml`. Text colours keep a contrast of 4.5 to the ground;
the eight series colours differ for colour-blind eyes in hue and in lightness.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import streamlit as st

from storage.texts import N_

FONT = '"Source Sans", "Source Sans 3", "Noto Sans KR", "Malgun Gothic", sans-serif'


@dataclass(frozen=True, slots=True)
class Zone:
    """A stretch of the Fear & Greed index: its upper end, the provider's name for it, its colour."""

    upto: int
    name: str
    color: str


@dataclass(frozen=True, slots=True)
class Palette:
    """One theme. `up` and `down` follow COLLECTOR_UP_COLOR; with red for a rise a fall is blue."""

    dark: bool
    ground: str
    surface: str
    ink: str
    muted: str
    line: str
    accent: str
    ok: str
    warn: str
    bad: str
    up: str
    down: str
    flat: str
    hatch: str
    series: tuple[str, ...]
    zones: tuple[Zone, ...]


_ZONES = (
    (25, N_("Extreme Fear")),
    (46, N_("Fear")),
    (54, N_("Neutral")),
    (75, N_("Greed")),
    (100, N_("Extreme Greed")),
)


def _zones(*colors: str) -> tuple[Zone, ...]:
    return tuple(Zone(upto, name, color) for (upto, name), color in zip(_ZONES, colors, strict=True))


LIGHT = Palette(
    dark=False,
    ground="#fbfbf9",
    surface="#f3f3ef",
    ink="#1b2430",
    muted="#565d66",
    line="#dfe2dc",
    accent="#1f5fc4",
    ok="#0b6b4a",
    warn="#8a4b0c",
    bad="#a82a21",
    up="#0b6b4a",
    down="#a82a21",
    flat="#747980",
    hatch="#a9aeb2",
    series=("#1f5fc4", "#c2610c", "#1d8576", "#6b4fc0", "#b0327a", "#776600", "#2f87b8", "#5c6570"),
    zones=_zones("#bf3b30", "#e39a55", "#c6c9c3", "#74bdb1", "#1d8576"),
)

DARK = Palette(
    dark=True,
    ground="#0e1318",
    surface="#131a20",
    ink="#e8ecef",
    muted="#a3a8ad",
    line="#27313b",
    accent="#6ea8ff",
    ok="#63d8aa",
    warn="#f0b07a",
    bad="#ff9b91",
    up="#63d8aa",
    down="#ff9b91",
    flat="#919599",
    hatch="#4d565f",
    series=("#6ea8ff", "#f0a05a", "#4cc2b0", "#b49cf5", "#f28ac0", "#d9c24a", "#7fd0f0", "#a6adb4"),
    zones=_zones("#e5675a", "#c98746", "#5a626a", "#2f8478", "#4cc2b0"),
)

# What a rise and a fall look like where red means up.
_RED_UP = {False: ("#a82a21", "#1a52aa"), True: ("#ff9b91", "#8cbaff")}


def palette(dark: bool, up_color: str = "green") -> Palette:
    """The palette of one theme; `up_color` is the setting COLLECTOR_UP_COLOR."""
    base = DARK if dark else LIGHT
    if up_color != "red":
        return base
    up, down = _RED_UP[dark]
    return replace(base, up=up, down=down)


def colors(up_color: str = "green") -> Palette:
    """The palette of the theme that the reader's browser shows; light until it has said so."""
    return palette(st.context.theme.get("type") == "dark", up_color)


def sign_color(palette: Palette, direction: int) -> str:
    """The colour of a change by its direction (1, 0, -1)."""
    return {1: palette.up, -1: palette.down}.get(direction, palette.muted)


def mix(low: str, high: str, share: float) -> str:
    """The colour `share` (0 to 1) of the way from `low` to `high`, both #rrggbb."""
    pairs = zip(bytes.fromhex(low[1:]), bytes.fromhex(high[1:]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


@lru_cache(maxsize=8)
def _template(palette: Palette) -> dict[str, Any]:
    axis = {
        "gridcolor": palette.line,
        "linecolor": palette.line,
        "zerolinecolor": palette.muted,
        "tickcolor": palette.line,
        "tickfont": {"size": 11, "color": palette.muted},
        "automargin": True,
        "zeroline": False,
    }
    layout = {
        "font": {"family": FONT, "size": 12, "color": palette.ink},
        "colorway": list(palette.series),
        # The page's own ground shows through, so that a switch of theme never flashes a white box.
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "hoverlabel": {
            "bgcolor": palette.surface,
            "bordercolor": palette.line,
            "font": {"family": FONT, "size": 12, "color": palette.ink},
            "align": "left",
        },
        "hovermode": "closest",
        "xaxis": axis | {"showgrid": False},
        "yaxis": axis,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 11}},
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": palette.muted,
            "activecolor": palette.accent,
        },
    }
    return {"layout": layout}


def template(palette: Palette) -> dict[str, Any]:
    """The Plotly template of a palette: ground, type, axes, hover; for `layout.template`."""
    return _template(palette)
