"""Every page of the app: its address, its name, and the roles that may open it. A new page is a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from app.screens import export, generate, review, worklist
from app.store.people import ROLES, Role

Group = Literal["read", "study", "manage"]
GROUPS: Mapping[Group, Mapping[str, str]] = {
    "read": {"zh": "阅片", "en": "Reading"},
    "study": {"zh": "读者研究", "en": "Reader study"},
    "manage": {"zh": "管理", "en": "Administration"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page at `/path`; `show` draws it. `titles` is its name by language, `group` its menu."""

    path: str
    show: Callable[[], None]
    icon: str
    titles: Mapping[str, str]
    group: Group
    roles: frozenset[Role] = frozenset(ROLES)


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
        path="generate",
        show=generate.show,
        icon=":material/bolt:",
        titles={"zh": "实时生成", "en": "Live generation"},
        group="read",
    ),
    Page(
        path="export",
        show=export.show,
        icon=":material/output:",
        titles={"zh": "导出", "en": "Export"},
        group="manage",
        roles=frozenset({"lead", "admin"}),
    ),
)
HOME = PAGES[0]
