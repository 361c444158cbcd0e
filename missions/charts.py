"""Charts as plain figures of an SVG: no script, no style, no colour of their own. Room: missions; imports nothing of
ours.

Each stands beside its table and says nothing that is not in it. Coordinates are text with a point: a page in French
would write them with a comma. How they look is in static/desk/report.css, by classes.
"""

from dataclasses import dataclass
from math import ceil

TALL = 12  # all bars of one row together
WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 22, 30  # room for the numbers, and for what stands under the axis
OVER, UNDER, CROWDED = 9, 18, 24  # between a point and its number; closer points would write over each other
STEPS = (1, 2, 5)


def _at(number):
    return f"{number:.1f}".removesuffix(".0")


# --- A bar in the row of a table -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A bar, in hundredths of the widest; several stand under each other. name -- of its colour"""

    name: str
    width: str
    y: str
    height: str


def bar(most, **parts):
    """The bars of one row. most -- what would fill the width; parts -- {name: number}, None where nothing is known"""
    lane = TALL / len(parts)
    gap = 1 if len(parts) > 1 else 0
    return [
        Part(name, _at(min(100 * (number or 0) / most, 100) if most else 0), _at(n * lane), _at(lane - gap))
        for n, (name, number) in enumerate(parts.items())
    ]


# --- Over time -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tick:
    """A line across, or a name under the axis."""

    at: str
    words: str


@dataclass(frozen=True)
class Point:
    x: str
    y: str
    words: str
    number_at: str  # how high its number stands


@dataclass(frozen=True)
class Line:
    """One measure: pieces are the stretches without a gap, as an SVG's polyline takes them."""

    name: str
    label: str
    pieces: list
    points: list


@dataclass(frozen=True)
class Trend:
    width: int
    height: int
    left: int
    right: int
    base: str
    across: list
    along: list
    lines: list


def step(most, *, at_most=5):
    """How far apart the lines across stand: 1, 2 or 5, or ten times these, so that there are at most so many."""
    power = 1
    while True:
        for one in STEPS:
            if ceil(most / (one * power)) <= at_most:
                return one * power
        power *= 10


def trend(names, measures, *, most=None):
    """names -- under the axis, in order; measures -- [(name of the colour, label, numbers)], None where nothing is
    known; most -- where the scale ends: by itself just over the greatest number"""
    known = [number for _name, _label, numbers in measures for number in numbers if number is not None]
    most = most or max([*known, 1])
    apart = step(most)
    top = apart * ceil(most / apart)
    room = WIDTH - LEFT - RIGHT
    places = [LEFT + room * (2 * n + 1) / (2 * len(names)) for n in range(len(names))]

    def height(number):
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - number / top)

    def number_at(place, number):
        """Over its point; under it, where another point stands just over it."""
        others = [numbers[place] for _name, _label, numbers in measures if numbers[place] is not None]
        crowded = any(0 < height(number) - height(other) < CROWDED for other in others)
        return height(number) + (UNDER if crowded else -OVER)

    return Trend(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        base=_at(height(0)),
        across=[Tick(_at(height(number)), str(number)) for number in range(0, top + 1, apart)],
        along=[Tick(_at(x), str(name)) for x, name in zip(places, names, strict=True)],
        lines=[_line(name, label, numbers, places, height, number_at) for name, label, numbers in measures],
    )


def _line(name, label, numbers, places, height, number_at):
    pieces, points, piece = [], [], []
    for place, (x, number) in enumerate([*zip(places, numbers, strict=True), (0, None)]):
        if number is not None:
            points.append(Point(_at(x), _at(height(number)), str(number), _at(number_at(place, number))))
            piece.append(f"{_at(x)},{_at(height(number))}")
            continue
        if len(piece) > 1:
            pieces.append(" ".join(piece))
        piece = []
    return Line(name, label, pieces, points)
