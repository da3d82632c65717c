"""Reviews as files for other programs: tables, training pairs, and documents for a hospital's systems."""

from app.export.folder import Kind, write
from app.export.records import ExportContext, ReviewedReport

__all__ = ["ExportContext", "Kind", "ReviewedReport", "write"]
