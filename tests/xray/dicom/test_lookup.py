import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xray.dicom import lookup


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int16])
@given(rows=st.integers(1, 40), columns=st.integers(1, 40), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_counting_and_mapping_are_what_numpy_does_by_index(kind, rows, columns, seed):
    rng, limits = np.random.default_rng(seed), np.iinfo(kind)
    stored = rng.integers(limits.min, limits.max, (rows, columns), dtype=kind, endpoint=True)
    cells = lookup.cells_of(stored)
    size = 1 << (8 * stored.dtype.itemsize)
    assert (lookup.count(cells) == np.bincount(cells.ravel(), minlength=size)).all()
    for depth in (np.uint8, np.uint16):
        table = rng.integers(0, np.iinfo(depth).max, size, dtype=depth, endpoint=True)
        assert (lookup.look_up(cells, table) == table[cells]).all()


def test_signed_values_become_their_two_s_complement_without_a_copy():
    stored = np.array([[-1, -32768, 5]], dtype=np.int16)
    cells = lookup.cells_of(stored)
    assert cells.tolist() == [[65535, 32768, 5]]
    assert np.shares_memory(cells, stored)


def test_hidden_pixels_are_not_counted():
    cells = np.array([[7, 7], [7, 9]], dtype=np.uint8)
    counts = lookup.count(cells, visible=np.array([[255, 0], [0, 255]], dtype=np.uint8))
    assert (counts[7], counts[9], counts.sum()) == (1, 1, 2)


def test_counts_beyond_what_a_float_holds_are_exact():
    cells = np.zeros((5000, 4001), dtype=np.uint8)  # 20 million pixels; float32 counts to 16.7 million
    cells[0, 0] = 3
    counts = lookup.count(cells)
    assert (counts[0], counts[3]) == (5000 * 4001 - 1, 1)


def test_read_only_cells_can_be_counted_and_mapped():
    cells = np.frombuffer(bytes(range(16)), dtype=np.uint8).reshape(4, 4)
    table = np.arange(256, dtype=np.uint8)[::-1].copy()
    assert lookup.count(cells).sum() == 16
    assert lookup.look_up(cells, table)[0, 0] == 255
