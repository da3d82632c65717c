"""The texts of who may come in, of the lock, and of the page about the person and the program."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.store.people import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessWords:
    """One language's texts. `roles` goes from stored words to labels, `role_meanings` to what each may do."""

    roles: Mapping[Role, str]
    role_meanings: Mapping[Role, str]
    comma: str
    no_role: str
    refused_title: str
    refused: str
    denied: str
    back: str
    unknown_title: str
    unknown_name: str
    unknown_person: str
    inactive_person: str
    roleless_person: str
    ask_admins: str
    ask_operator: str
    sign_in_title: str
    sign_in: str
    sign_in_note: str
    no_claim: str
    unverified: str
    sign_out: str
    locked_title: str
    locked: str
    locked_sign_in: str
    drafts_kept: str
    unlock: str
    locking_soon: str
    stay: str


ACCESS_WORDS: Mapping[str, AccessWords] = MappingProxyType(
    {
        "zh": AccessWords(
            roles={"reader": "阅片医师", "adjudicator": "仲裁医师", "lead": "项目负责人", "admin": "管理员"},
            role_meanings={
                "reader": "阅片、评审并提交结论",
                "adjudicator": "对意见不一的病例作出裁定",
                "lead": "管理读者研究，查看指标与一致性，导出数据",
                "admin": "管理用户，查看审计日志，运行系统自检",
            },
            comma="、",
            no_role="无角色",
            refused_title="无权访问",
            refused="“{page}”仅对以下角色开放：{roles}。您的角色：{own}。如需使用，请联系管理员。",
            denied="此操作仅限以下角色：{roles}。内容未保存到服务器，请联系管理员。",
            back="返回首页",
            unknown_title="尚未获准使用",
            unknown_name="您的登录名：{name}",
            unknown_person="登录成功，但本项目的用户名单中没有您。",
            inactive_person="您在本项目中的账户已停用。",
            roleless_person="您在本项目中尚未分配角色。",
            ask_admins="请将上面的登录名告知管理员：{names}",
            ask_operator="本项目还没有管理员。请联系安装本系统的人员，以 --admin 指定第一位管理员。",
            sign_in_title="请先登录",
            sign_in="登录",
            sign_in_note="使用本单位的统一身份认证登录。",
            no_claim="登录信息中没有可用的姓名标识，请联系安装本系统的人员。",
            unverified="登录信息中的邮箱尚未验证，请先在统一身份认证系统中验证邮箱。",
            sign_out="退出登录",
            locked_title="页面已锁定",
            locked="长时间没有操作，为保护患者信息，页面内容已隐藏。",
            locked_sign_in="长时间没有操作，为保护患者信息，已退出登录。请重新登录。",
            drafts_kept="未保存的内容仍在本机浏览器中，继续后自动保存。",
            unlock="继续",
            locking_soon="{seconds} 秒后锁定页面",
            stay="继续使用",
        ),
        "en": AccessWords(
            roles={"reader": "Reader", "adjudicator": "Adjudicator", "lead": "Lead", "admin": "Administrator"},
            role_meanings={
                "reader": "reads cases, reviews and submits verdicts",
                "adjudicator": "decides cases on which readers differ",
                "lead": "runs reader studies, sees scores and agreement, exports data",
                "admin": "manages users, reads the audit log, runs the system check",
            },
            comma=", ",
            no_role="none",
            refused_title="Not open to you",
            refused="“{page}” is open to: {roles}. Your roles: {own}. Ask an administrator if you need it.",
            denied="Only these roles may do this: {roles}. Nothing was saved on the server; ask an administrator.",
            back="Back to the first page",
            unknown_title="Not admitted yet",
            unknown_name="You are signed in as: {name}",
            unknown_person="You are signed in, but you are not among the users of this project.",
            inactive_person="Your account in this project is not active any more.",
            roleless_person="You have no role in this project yet.",
            ask_admins="Give this name to an administrator: {names}",
            ask_operator="This project has no administrator yet. Ask who installed it to name one with --admin.",
            sign_in_title="Please sign in",
            sign_in="Sign in",
            sign_in_note="With the sign-in of your institution.",
            no_claim="The sign-in tells no name for you. Ask who installed this system.",
            unverified="The sign-in says that your e-mail address is not verified. Verify it there first.",
            sign_out="Sign out",
            locked_title="Page locked",
            locked="There was no input for a while. The page is hidden to protect patients' data.",
            locked_sign_in="There was no input for a while. You were signed out to protect patients' data.",
            drafts_kept="What was not saved yet is kept in this browser and will be saved when you go on.",
            unlock="Continue",
            locking_soon="The page locks in {seconds} seconds",
            stay="Keep working",
        ),
    }
)
