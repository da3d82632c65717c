"""One module per kind of data set: what it says about its studies, before any pixel is decoded."""

from xray.data.sources.columns import TableColumns
from xray.data.sources.study_files import Refusal, SourceData, StudyFiles
from xray.data.sources.table import read_table
from xray.data.sources.xrayglm import read_xrayglm

__all__ = ["Refusal", "SourceData", "StudyFiles", "TableColumns", "read_table", "read_xrayglm"]
