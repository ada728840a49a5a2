"""The colours of every page and chart, each with one meaning, for the light and the dark ground.

The same values stand in `.streamlit/config.toml`. Text colours keep a contrast of 4.5 to the ground;
the eight series colours differ for colour-blind eyes in hue and in lightness.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import streamlit as st

from collectors.stress.inputs import BANDS
from storage.texts import N_

FONT = '"Source Sans", "Source Sans 3", "Noto Sans KR", "Malgun Gothic", sans-serif'


@dataclass(frozen=True, slots=True)
class Zone:
    """A stretch of the Fear & Greed index: its upper end, the provider's name for it, its colour."""

    upto: int
    name: str
    color: str


@dataclass(frozen=True, slots=True)
class Band:
    """A band of the StressIndex: its name, the colour of its areas, and that of its words."""

    name: str
    color: str
    ink: str


@dataclass(frozen=True, slots=True)
class Palette:
    """One theme. `up` and `down` follow COLLECTOR_UP_COLOR; with red for a rise a fall is blue. `adds` and
    `takes` are what adds to stress and takes from it: no rise and no fall, so that no setting moves them.
    `heat` goes from the lowest percentile to the highest, in lightness too."""

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
    bands: tuple[Band, ...]
    adds: str
    takes: str
    heat: tuple[str, ...]


_ZONES = (
    (25, N_("Extreme Fear")),
    (46, N_("Fear")),
    (54, N_("Neutral")),
    (75, N_("Greed")),
    (100, N_("Extreme Greed")),
)


def _zones(*colors: str) -> tuple[Zone, ...]:
    return tuple(Zone(upto, name, color) for (upto, name), color in zip(_ZONES, colors, strict=True))


def _bands(*colors: tuple[str, str]) -> tuple[Band, ...]:
    return tuple(Band(name, color, ink) for name, (color, ink) in zip(BANDS, colors, strict=True))


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
    bands=_bands(
        ("#3a9a8d", "#176b5f"), ("#b58b10", "#705600"), ("#a63a0a", "#8f4508"), ("#740f3c", "#740f3c")
    ),
    adds="#ad5209",
    takes="#17766a",
    heat=("#eceee9", "#f2d798", "#e39a4a", "#b9432f", "#5c1230"),
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
    bands=_bands(
        ("#4cb8a8", "#63cdbd"), ("#f2d667", "#e5c966"), ("#e07326", "#f0b07a"), ("#c4305f", "#ff9b91")
    ),
    adds="#f0a05a",
    takes="#4cc2b0",
    heat=("#1a232c", "#4a2a5c", "#a23b5e", "#e8793f", "#ffdc8a"),
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


def band(palette: Palette, name: object) -> Band | None:
    """The band of that name; None for a day without one."""
    return next((one for one in palette.bands if one.name == name), None)


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
