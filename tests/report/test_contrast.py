"""Colours by the rules of WCAG 2.2: text 4.5 to 1, marks 3 to 1, in the light and in the dark."""

import importlib.resources
import re

import pytest

CSS = importlib.resources.files("budgetal").joinpath("templates", "report.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.S)[:2]
)


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mixed(colour, under, opacity):
    parts = [round(int(colour[i : i + 2], 16) * opacity + int(under[i : i + 2], 16) * (1 - opacity)) for i in (1, 3, 5)]
    return "#" + "".join(f"{part:02x}" for part in parts)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "card"])
def test_text_and_marks_stand_out(theme, ground):
    for name in ("ink", "muted", "link"):
        assert contrast(theme[name], theme[ground]) >= 4.5, name
    for name in ("s1", "s2", "s3"):
        assert contrast(theme[name], theme[ground]) >= 3, name


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("cell", ["cell-right", "cell-wrong"])
def test_numbers_on_the_darkest_cells_can_be_read(theme, cell):
    assert contrast(theme["ink"], mixed(theme[cell], theme["card"], 0.6)) >= 4.5
