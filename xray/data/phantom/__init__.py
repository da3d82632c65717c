"""Procedural chest films with Chinese reports and the truth about both: data anyone may have, from a seed.

`sample_studies` invents patients and their findings, `draw` makes a film of a study, `write_report` its report,
`labels` its truth, and `write_dataset` a folder of DICOM files and tables. Nothing is copied from a real patient.
"""

from xray.data.phantom.dataset import write_dataset
from xray.data.phantom.film import draw
from xray.data.phantom.report import write_report
from xray.data.phantom.study import (
    BASE_CONCEPTS,
    DEMO_CONCEPTS,
    DrawnFinding,
    PhantomStudy,
    Style,
    labels,
    sample_studies,
)

__all__ = [
    "BASE_CONCEPTS",
    "DEMO_CONCEPTS",
    "DrawnFinding",
    "PhantomStudy",
    "Style",
    "draw",
    "labels",
    "sample_studies",
    "write_dataset",
    "write_report",
]
