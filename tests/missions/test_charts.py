"""Charts are plain geometry: they show what the table says, with points for commas, and gaps where nothing is known."""

import pytest
from django.utils import translation

from missions import charts


def parts(most, **numbers):
    return [(part.name, part.width, part.y, part.height) for part in charts.bar(most, **numbers)]


def test_a_bar_is_drawn_in_hundredths_of_the_widest():
    assert parts(3, came=1) == [("came", "33.3", "0", "12")]
    assert parts(3, came=9) == [("came", "100", "0", "12")]


def test_several_numbers_of_a_row_stand_under_each_other_and_hide_nothing():
    assert parts(40, said=30, came=40) == [("said", "75", "0", "5"), ("came", "100", "6", "5")]


def test_of_nothing_and_of_what_nobody_knows_nothing_is_drawn():
    assert parts(0, came=0) == parts(5, came=None) == [("came", "0", "0", "12")]


@pytest.mark.parametrize(
    ("most", "apart"), [(1, 1), (5, 1), (6, 2), (10, 2), (68, 20), (100, 20), (193, 50), (999, 200)]
)
def test_lines_across_stand_at_round_numbers_five_at_the_most(most, apart):
    assert charts.step(most) == apart


def test_a_line_runs_from_left_to_right_and_a_higher_number_stands_higher():
    trend = charts.trend([52, 53, 54], [("mean", "mean", [33, 38, 34])])
    (line,) = trend.lines
    xs, ys = [float(point.x) for point in line.points], [float(point.y) for point in line.points]
    assert xs == sorted(xs)
    assert ys[1] < ys[2] < ys[0] < float(trend.base)
    assert line.pieces == [" ".join(f"{point.x},{point.y}" for point in line.points)]
    assert [tick.words for tick in trend.across] == ["0", "10", "20", "30", "40"]


def test_two_numbers_close_to_each_other_do_not_stand_on_each_other():
    upper, lower = charts.trend([54], [("national", "", [63]), ("women", "", [59])], most=100).lines
    (high,), (low,) = upper.points, lower.points
    assert float(high.number_at) < float(high.y) < float(low.y) < float(low.number_at)
    (alone,) = charts.trend([54], [("women", "", [59])], most=100).lines[0].points
    assert float(alone.number_at) < float(alone.y)


def test_where_nothing_is_known_the_line_has_a_gap():
    (line,) = charts.trend(range(5), [("mean", "mean", [1, 2, None, 4, 5])]).lines
    assert [piece.count(",") for piece in line.pieces] == [2, 2]
    assert len(line.points) == 4
    (lonely,) = charts.trend(range(3), [("mean", "mean", [None, 2, None])]).lines
    assert (lonely.pieces, len(lonely.points)) == ([], 1)


def test_coordinates_keep_their_point_in_a_language_that_writes_a_comma():
    with translation.override("fr"):
        assert parts(3, came=1)[0][1] == "33.3"
