"""Every page of the app: its address, its name, and the roles that may open it. A new page is a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from app.screens import adjudication, reading, review, studies, tasks, worklist
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


PAGES: tuple[Page, ...] = (
    Page(
        path="worklist",
        show=worklist.show,
        icon=":material/list_alt:",
        titles={"zh": "工作列表", "en": "Worklist"},
        group="read",
    ),
    Page(
        path="review",
        show=review.show,
        icon=":material/radiology:",
        titles={"zh": "阅片评审", "en": "Review"},
        group="read",
    ),
    Page(
        path="tasks",
        show=tasks.show,
        icon=":material/assignment_ind:",
        titles={"zh": "我的任务", "en": "My tasks"},
        group="study",
        roles=frozenset({"reader"}),
    ),
    Page(
        path="reading",
        show=reading.show,
        icon=":material/radiology:",
        titles={"zh": "研究阅片", "en": "Reading"},
        group="study",
        roles=frozenset({"reader"}),
        listed=False,
    ),
    Page(
        path="adjudication",
        show=adjudication.show,
        icon=":material/balance:",
        titles={"zh": "分歧仲裁", "en": "Adjudication"},
        group="study",
        roles=frozenset({"adjudicator"}),
    ),
    Page(
        path="studies",
        show=studies.show,
        icon=":material/experiment:",
        titles={"zh": "研究管理", "en": "Studies"},
        group="study",
        roles=frozenset({"lead"}),
    ),
)
HOME = PAGES[0]
