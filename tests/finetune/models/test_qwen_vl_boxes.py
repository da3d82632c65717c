import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.models.qwen_vl.boxes import Box, count_malformed, draw_boxes, parse_boxes

WORDS = st.text(alphabet="心影右肺见结节，。 \n", max_size=6)


@st.composite
def boxes(draw: st.DrawFn, *, label: str | None = None) -> Box:
    x1, y1 = draw(st.integers(0, 999)), draw(st.integers(0, 999))
    x2, y2 = draw(st.integers(x1 + 1, 1000)), draw(st.integers(y1 + 1, 1000))
    return Box(label=draw(WORDS) if label is None else label, x1=x1, y1=y1, x2=x2, y2=y2)


def written(box: Box) -> str:
    return f"<box>({box.x1},{box.y1}),({box.x2},{box.y2})</box>"


@given(st.lists(st.tuples(WORDS, boxes()), max_size=4), WORDS)
def test_boxes_in_a_text_are_read_back_as_they_were_written(parts: list[tuple[str, Box]], end: str) -> None:
    text = "".join(f"{before}<ref>{box.label}</ref>{written(box)}" for before, box in parts) + end
    assert parse_boxes(text) == ("".join(before + box.label for before, box in parts) + end, [box for _, box in parts])


@given(st.text(alphabet="<>/refbox(),0123456789 心", max_size=60))
def test_any_text_is_read_without_an_error_and_only_whole_boxes_leave_it(text: str) -> None:
    kept, found = parse_boxes(text)
    assert kept.count("<box>") >= text.count("<box>") - len(found)
    assert all(0 <= box.x1 < box.x2 <= 1000 and 0 <= box.y1 < box.y2 <= 1000 for box in found)


def test_several_boxes_share_the_label_before_them_and_a_word_between_ends_it() -> None:
    text = "<ref>结节</ref><box>(1,2),(3,4)</box> <box>(5,6),(7,8)</box>，另见<box>(10, 20), (30, 40)</box>"
    kept, found = parse_boxes(text)
    assert kept == "结节 ，另见"
    assert [box.label for box in found] == ["结节", "结节", ""]
    assert found[2] == Box(label="", x1=10, y1=20, x2=30, y2=40)


@pytest.mark.parametrize(
    "broken",
    [
        "<box>(1,2),(3)</box>",
        "<box>(30,2),(3,4)</box>",
        "<box>(1,2),(1,4)</box>",
        "<box>(1,2),(3,1001)</box>",
        "<box>(-1,2),(3,4)</box>",
        "<box>(1,2),(3,4)",
        "(1,2),(3,4)</box>",
        "<box></box>",
    ],
)
def test_a_box_that_is_none_stays_in_the_text_and_is_counted(broken: str) -> None:
    kept, found = parse_boxes(f"右肺<ref>结节</ref>{broken}。<box>(1,2),(3,4)</box>")
    assert kept == f"右肺结节{broken}。"
    assert len(found) == 1
    assert count_malformed(kept) == 1


@given(boxes(), st.integers(1, 3000), st.integers(1, 3000))
def test_a_box_lies_within_its_film_at_any_size(box: Box, rows: int, columns: int) -> None:
    x1, y1, x2, y2 = box.in_pixels(rows=rows, columns=columns)
    assert 0 <= x1 <= x2 < columns
    assert 0 <= y1 <= y2 < rows
    assert abs(x1 - box.x1 * columns / 1000) <= 1
    assert abs(y2 - box.y2 * rows / 1000) <= 1


def test_a_box_is_drawn_where_it_is_and_the_film_stays_as_it_was() -> None:
    film = np.full((200, 400), 90, dtype=np.uint8)
    drawn = draw_boxes(film, [Box(label="心影", x1=250, y1=500, x2=750, y2=1000)])
    assert (film == 90).all()
    assert drawn.shape == (200, 400, 3)
    assert drawn.dtype == np.uint8
    changed = (drawn != 90).any(axis=-1)
    assert changed[100, 100:301].all()
    assert changed[100:200, 300].all()
    assert not changed[:99].any()
    assert not changed[:, 305:].any()


def test_colour_films_are_drawn_on_too_and_no_box_changes_nothing() -> None:
    film = np.random.default_rng(0).integers(0, 255, (50, 60, 3), dtype=np.uint8)
    assert np.array_equal(draw_boxes(film, []), film)
    assert not np.array_equal(draw_boxes(film, [Box(label="", x1=0, y1=0, x2=1000, y2=1000)]), film)
