"""The display shutter, PS3.3 C.7.6.11. Rows and columns count from 1."""

import numpy as np
import pytest

from xray.dicom.render import RenderSettings, render_dataset
from xray.errors import Rejected

DEEP = RenderSettings(size=None, square=False, deep=True)
WHITE = np.full((8, 10), 200, dtype=np.uint8)
WHITE[0, 0], WHITE[3:5, 4:6] = 0, 100
RECTANGLE = {
    "ShutterShape": "RECTANGULAR",
    "ShutterLeftVerticalEdge": 3,
    "ShutterRightVerticalEdge": 8,
    "ShutterUpperHorizontalEdge": 2,
    "ShutterLowerHorizontalEdge": 6,
}
CIRCLE = {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [4, 5], "RadiusOfCircularShutter": 3}
POLYGON = {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [2, 3, 2, 8, 6, 8, 6, 3]}


def visible(make_film, **elements):
    film = make_film(WHITE, WindowCenter=100, WindowWidth=200, **elements)
    return render_dataset(film, settings=DEEP).pixels > 0


def test_a_rectangle_leaves_its_edges_and_what_lies_between(make_film):
    shown = visible(make_film, **RECTANGLE)
    expected = np.zeros((8, 10), dtype=bool)
    expected[1:6, 2:8] = True
    assert (shown == expected).all()


def test_a_circle_is_measured_along_a_row(make_film):
    shown = visible(make_film, **CIRCLE)
    assert np.flatnonzero(shown[3]).tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert np.flatnonzero(shown[:, 4]).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert not shown[0, 1]


def test_a_circle_on_tall_pixels_spans_fewer_rows(make_film):
    film = make_film(WHITE, WindowCenter=100, WindowWidth=200, PixelSpacing=[0.4, 0.2], **CIRCLE)
    shown = render_dataset(film, settings=DEEP).pixels > 0
    assert shown.shape == (16, 10)
    assert abs(int(shown[:, 4].sum()) - int(shown[7].sum())) <= 1


def test_a_polygon_is_filled_up_to_its_vertices(make_film):
    assert (visible(make_film, **POLYGON) == visible(make_film, **RECTANGLE)).all()


def test_several_shapes_show_what_all_of_them_leave_free(make_film):
    both = {**RECTANGLE, **CIRCLE, "ShutterShape": ["RECTANGULAR", "CIRCULAR"]}
    assert (visible(make_film, **both) == visible(make_film, **RECTANGLE) & visible(make_film, **CIRCLE)).all()


def test_a_shutter_is_black_in_monochrome1_too_and_zero_in_the_master(make_film):
    film = make_film(255 - WHITE, photometric="MONOCHROME1", WindowCenter=100, WindowWidth=200, **RECTANGLE)
    rendered = render_dataset(film, settings=DEEP)
    assert not rendered.pixels[7].any()
    assert not rendered.deep[7].any()
    assert rendered.deep[2, 2] > 0


def test_a_shutter_is_black_on_a_film_that_was_stored_in_colour(make_film):
    film = make_film(np.dstack([WHITE] * 3), photometric="RGB", **RECTANGLE)
    shown = render_dataset(film, settings=DEEP).pixels
    assert shown[7].max() == 0
    assert shown[2, 3] == 200


def test_what_a_shutter_hides_does_not_move_the_automatic_window(make_film):
    values = np.full((40, 40), 4000, dtype=np.uint16)
    values[10:30, 10:30] = np.arange(400).reshape(20, 20)
    film = make_film(values, bits=12, ShutterShape="RECTANGULAR")
    film.ShutterLeftVerticalEdge = film.ShutterUpperHorizontalEdge = 11
    film.ShutterRightVerticalEdge = film.ShutterLowerHorizontalEdge = 30
    rendered = render_dataset(film, settings=DEEP)
    assert rendered.window[1] < 400
    assert rendered.pixels[10:30, 10:30].max() == 255


@pytest.mark.parametrize(
    "elements",
    [
        {"ShutterShape": "RECTANGULAR"},
        {**RECTANGLE, "ShutterLeftVerticalEdge": 9},
        {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [4, 5]},
        {**CIRCLE, "RadiusOfCircularShutter": 0},
        {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 1, 5, 5]},
        {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 1, 5, 5, 2147483647, 4]},
        {"ShutterShape": "BITMAP"},
    ],
)
def test_a_shutter_that_cannot_be_drawn_hides_nothing_and_is_flagged(make_film, elements):
    film = make_film(WHITE, WindowCenter=100, WindowWidth=200, **elements)
    rendered = render_dataset(film, settings=DEEP)
    assert rendered.flags == ("shutter_ignored",)
    assert (rendered.pixels == 0).sum() == 1


def test_edges_far_outside_the_film_hide_nothing(make_film):
    wide = {**RECTANGLE, "ShutterLeftVerticalEdge": -5, "ShutterUpperHorizontalEdge": 0}
    wide |= {"ShutterRightVerticalEdge": 500, "ShutterLowerHorizontalEdge": 9}
    assert visible(make_film, **wide).sum() == 79


def test_a_film_behind_a_closed_shutter_is_refused(make_film):
    closed = {**RECTANGLE, "ShutterLeftVerticalEdge": 90, "ShutterRightVerticalEdge": 99}
    with pytest.raises(Rejected, match="all_padding"):
        visible(make_film, **closed)
