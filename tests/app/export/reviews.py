"""Reviews as a store would hand them over, invented."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from app.export.records import (
    Answer,
    ExportContext,
    Person,
    PromptTurn,
    ProtocolUsed,
    ReviewedFilm,
    ReviewedReport,
    Seed,
    SentenceEdit,
    Signature,
)

CHINA = timezone(timedelta(hours=8))
READER = Person(id="zhang", name="张三", person_name="Zhang^San=张^三")
SIGNED = Signature(by=READER, at=datetime(2026, 11, 29, 16, 0, 5, tzinfo=CHINA), meaning="审核")
LABEL = "人工智能生成初稿，经张三于2026-11-29 16:00:05+08:00修改审核"
CONTEXT = ExportContext(
    producer="某公司", institution="某某医院", seeds=(Seed(name="order", value=7),), audit_head="ab" * 32
)
GENERATED = "两肺纹理清晰，心影不大。"
CORRECTED = "影像所见：右肺下叶见斑片影，心影不大。\n印象：右肺下叶炎症。"
EDIT = SentenceEdit(
    text="两肺纹理清晰，", decision="edit", replacement="右肺下叶见斑片影，", category=2, significant=True
)


def review(case: str = "case-1", **fields: object) -> ReviewedReport:
    """A submitted review of a training study, with one edit that matters; `fields` replace the defaults."""
    defaults: dict[str, object] = {
        "run_id": "run-1",
        "case_id": case,
        "study_uid": f"study-of-{case}",
        "patient_key": f"patient-of-{case}",
        "split": "train",
        "language": "zh",
        "films": (ReviewedFilm(path=Path("film.png")),),
        "turns": (PromptTurn(role="system", text="你是放射科医师。"), PromptTurn(role="user", text="请写报告。")),
        "generated": GENERATED,
        "reference": "右肺下叶炎症。",
        "corrected": CORRECTED,
        "verdict": "edit",
        "edits": (EDIT,),
        "answers": (Answer(question="adequate", value=True),),
        "reader": READER,
        "status": "submitted",
        "revision": 1,
        "saved_at": datetime(2026, 11, 29, 7, 59, tzinfo=UTC),
        "model_name": "demo-0.3b",
        "protocol": ProtocolUsed(name="rexval6", sha256="cd" * 32),
    }
    return ReviewedReport.model_validate(defaults | fields)


def signed(case: str = "case-1", **fields: object) -> ReviewedReport:
    return review(case, **{"signature": SIGNED} | fields)
