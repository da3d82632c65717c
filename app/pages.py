"""Every page of the app: its address, its name, and the roles that may open it. A new page is a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from app.access import ADJUDICATORS, ADMINS, EXPORTERS, LEADS, READERS, TASK_READERS
from app.navigation import WITHOUT_RUN
from app.screens import (
    about,
    adjudication,
    agreement,
    audit_log,
    export,
    generate,
    people,
    progress,
    reading,
    review,
    scores,
    self_check,
    studies,
    tasks,
    worklist,
)
from app.store.people import ROLES, Role

Group = Literal["read", "study", "manage"]
GROUPS: Mapping[Group, Mapping[str, str]] = {
    "read": {"zh": "阅片", "en": "Reading"},
    "study": {"zh": "读者研究", "en": "Reader study"},
    "manage": {"zh": "管理", "en": "Administration"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page at `/path`; `show` draws it. `titles` is its name by language, `group` its menu if it is listed there."""

    path: str
    show: Callable[[], None]
    icon: str
    titles: Mapping[str, str]
    group: Group
    roles: frozenset[Role] = frozenset(ROLES)
    listed: bool = True

    @property
    def of_run(self) -> bool:
        """Whether the page shows one run, which the side bar and the address choose."""
        return self.path not in WITHOUT_RUN


PAGES: tuple[Page, ...] = (
    Page(
        path="worklist",
        show=worklist.show,
        icon=":material/list_alt:",
        titles={"zh": "工作列表", "en": "Worklist"},
        group="read",
        roles=READERS,
    ),
    Page(
        path="review",
        show=review.show,
        icon=":material/radiology:",
        titles={"zh": "阅片评审", "en": "Review"},
        group="read",
        roles=READERS,
    ),
    Page(
        path="generate",
        show=generate.show,
        icon=":material/bolt:",
        titles={"zh": "实时生成", "en": "Live generation"},
        group="read",
        roles=READERS,
    ),
    Page(
        path="tasks",
        show=tasks.show,
        icon=":material/assignment_ind:",
        titles={"zh": "我的任务", "en": "My tasks"},
        group="study",
        roles=TASK_READERS,
    ),
    Page(
        path="reading",
        show=reading.show,
        icon=":material/radiology:",
        titles={"zh": "研究阅片", "en": "Reading"},
        group="study",
        roles=TASK_READERS,
        listed=False,
    ),
    Page(
        path="progress",
        show=progress.show,
        icon=":material/trending_up:",
        titles={"zh": "进度", "en": "Progress"},
        group="study",
        roles=TASK_READERS | LEADS,
    ),
    Page(
        path="adjudication",
        show=adjudication.show,
        icon=":material/balance:",
        titles={"zh": "分歧仲裁", "en": "Adjudication"},
        group="study",
        roles=ADJUDICATORS,
    ),
    Page(
        path="studies",
        show=studies.show,
        icon=":material/experiment:",
        titles={"zh": "研究管理", "en": "Studies"},
        group="study",
        roles=LEADS,
    ),
    Page(
        path="agreement",
        show=agreement.show,
        icon=":material/handshake:",
        titles={"zh": "一致性", "en": "Agreement"},
        group="study",
        roles=LEADS,
    ),
    Page(
        path="scores",
        show=scores.show,
        icon=":material/monitoring:",
        titles={"zh": "指标", "en": "Scores"},
        group="study",
        roles=LEADS,
    ),
    Page(
        path="export",
        show=export.show,
        icon=":material/output:",
        titles={"zh": "导出", "en": "Export"},
        group="study",
        roles=EXPORTERS,
    ),
    Page(
        path="people",
        show=people.show,
        icon=":material/group:",
        titles={"zh": "用户", "en": "Users"},
        group="manage",
        roles=ADMINS,
    ),
    Page(
        path="audit",
        show=audit_log.show,
        icon=":material/history:",
        titles={"zh": "审计日志", "en": "Audit log"},
        group="manage",
        roles=ADMINS,
    ),
    Page(
        path="check",
        show=self_check.show,
        icon=":material/health_and_safety:",
        titles={"zh": "系统自检", "en": "System check"},
        group="manage",
        roles=ADMINS,
    ),
    Page(
        path="about",
        show=about.show,
        icon=":material/info:",
        titles={"zh": "我的账户与关于", "en": "My account, and about"},
        group="manage",
    ),
)
HOME = PAGES[0]
