"""One module per kind of data set: what it says about its studies, before any pixel is decoded."""

from xray.data.sources.columns import TableColumns
from xray.data.sources.conversations import read_conversations
from xray.data.sources.mimic import read_mimic
from xray.data.sources.openi import join_openi, read_openi
from xray.data.sources.request import SourceRequest, kind_of, read_source
from xray.data.sources.study_files import Refusal, SourceData, StudyFiles
from xray.data.sources.table import read_table
from xray.data.sources.xrayglm import read_xrayglm
from xray.types import SourceKind

__all__ = [
    "Refusal",
    "SourceData",
    "SourceKind",
    "SourceRequest",
    "StudyFiles",
    "TableColumns",
    "join_openi",
    "kind_of",
    "read_conversations",
    "read_mimic",
    "read_openi",
    "read_source",
    "read_table",
    "read_xrayglm",
]
