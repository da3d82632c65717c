"""The texts of the pages for users, the audit log, and the person's own account."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleWords:
    """The page of the users."""

    title: str
    local_note: str
    columns: tuple[str, str, str, str]
    active: str
    inactive: str
    yourself: str
    add_title: str
    name: str
    name_help: str
    display_name: str
    roles: str
    add: str
    added: str
    bad_name: str
    taken: str
    no_role: str
    change_title: str
    choose: str
    is_active: str
    own_access: str
    save: str
    saved: str
    unchanged: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditWords:
    """The page of the audit log. `actions` goes from stored words to labels; what it lacks is shown as stored."""

    title: str
    intro: str
    everyone: str
    all_actions: str
    actor: str
    action: str
    subject: str
    subject_hint: str
    days: str
    columns: tuple[str, str, str, str, str, str, str]
    count: str
    none: str
    verify: str
    holds: str
    empty: str
    broken: str
    anchor: str
    anchor_help: str
    export: str
    export_note: str
    actions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutWords:
    """The page about the person and the program."""

    title: str
    account: str
    name: str
    signed_in_as: str
    your_roles: str
    sign_in: str
    no_sign_in: str
    local_drafts: str
    purpose_title: str
    purpose: tuple[str, ...]
    generated_title: str
    generated: tuple[str, ...]
    program_title: str
    licence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministrationWords:
    """One language's texts of the three pages."""

    people: PeopleWords
    audit: AuditWords
    about: AboutWords


_ZH = AdministrationWords(
    people=PeopleWords(
        title="用户",
        local_note="当前为本机单用户方式，无人登录；这里添加的用户可用于分配病例，启用登录后以同一登录名使用本系统。",
        columns=("登录名", "姓名", "角色", "状态"),
        active="● 在用",
        inactive="○ 停用",
        yourself="（本人）",
        add_title="添加用户",
        name="登录名",
        name_help="与登录系统所给的完全一致（邮箱或工号）。评审记录以登录名保存，添加后不能更改。",
        display_name="姓名",
        roles="角色",
        add="添加",
        added="已添加 {name}",
        bad_name="请填写登录名：1–200 个可见字符。“local”为系统保留。",
        taken="已有登录名为 {name} 的用户，请在右侧修改。",
        no_role="请至少选择一个角色。",
        change_title="修改用户",
        choose="选择用户",
        is_active="在用（停用后不能登录，已有评审保留）",
        own_access="管理员不能停用自己，也不能取消自己的管理员角色，请由其他管理员操作。",
        save="保存",
        saved="已保存 {name}",
        unchanged="没有改动。",
    ),
    audit=AuditWords(
        title="审计日志",
        intro="谁在何时对什么做了什么。每条记录的哈希覆盖其前所有记录，任何删改都会使校验失败。时间：{zone}。",
        everyone="全部人员",
        all_actions="全部操作",
        actor="人员",
        action="操作",
        subject="对象",
        subject_hint="病例号、登录名……的一部分",
        days="日期",
        columns=("序号", "时间", "人员", "操作", "对象", "详情", "哈希"),
        count="共 {count} 条",
        none="没有符合条件的记录。",
        verify="校验整条审计链",
        holds="审计链完整：共 {count} 条，最新哈希 {hash}",
        empty="审计链为空，尚无记录。",
        broken="审计链已损坏：",
        anchor="此前记下的哈希（可选）",
        anchor_help="填写以前保存的最新哈希，校验时确认它仍在链中。只有保存在系统之外的哈希才能发现整条链被重写。",
        export="导出为 CSV",
        export_note="导出当前筛选的全部记录；导出本身也会记入审计日志。",
        actions={
            "person": "修改用户",
            "open case": "打开病例",
            "page refused": "拒绝访问页面",
            "film refused": "拒绝访问影像",
            "sign-in refused": "拒绝登录",
            "draft": "保存草稿",
            "submitted": "提交评审",
            "amended": "修订评审",
            "void": "作废评审",
            "adjudicate": "仲裁",
            "adopt": "迁入评审",
            "adopt file": "迁入文件",
            "backup": "备份",
            "export audit": "导出审计日志",
            "export": "导出",
            "open task": "打开研究任务",
            "open dispute": "打开仲裁病例",
            "skip": "跳过任务",
            "begin study": "开始研究",
            "close study": "结束研究",
            "assign": "分配任务",
            "unblind": "揭盲",
            "live generation": "实时生成",
            "download export": "下载导出",
            "send to PACS": "发送到 PACS",
        },
    ),
    about=AboutWords(
        title="我的账户与关于",
        account="我的账户",
        name="姓名",
        signed_in_as="登录名",
        your_roles="角色",
        sign_in="登录方式",
        no_sign_in="本机单用户，不登录",
        local_drafts="尚未保存到服务器的文字暂存于本浏览器。在公用电脑上离开前，请确认页面显示“已保存”，并退出登录或关闭浏览器。",
        purpose_title="用途",
        purpose=(
            "本系统用于科研：评价胸片报告生成模型，并收集医师的修改意见。",
            "本系统不是医疗器械，不用于诊断，也不能代替执业医师出具报告。",
            "浏览器中的影像为非诊断级显示，未经灰度标准显示函数（GSDF）校准。",
        ),
        generated_title="人工智能生成内容声明",
        generated=(
            "标有“人工智能生成”的报告由模型自动生成，可能有误，未经执业医师审核签署不得用于临床。",
            "经医师修改的文本标注为“人工智能生成初稿，经人工修改”；修改前的文本与每次修改均保留。",
            "所有导出文件都带有人工智能生成标识，请勿删除、篡改或隐匿。",
        ),
        program_title="软件",
        licence="许可：{licence}",
    ),
)
_EN = AdministrationWords(
    people=PeopleWords(
        title="Users",
        local_note="Nobody signs in on this machine. Users added here can be given cases, and use the system under the "
        "same name once there is a sign-in.",
        columns=("Sign-in name", "Name", "Roles", "State"),
        active="● active",
        inactive="○ inactive",
        yourself=" (you)",
        add_title="Add a user",
        name="Sign-in name",
        name_help="Exactly as the sign-in gives it (e-mail or staff number). Reviews are kept under it, so it stays.",
        display_name="Name",
        roles="Roles",
        add="Add",
        added="{name} was added",
        bad_name="Give a sign-in name of 1 to 200 visible characters. “local” is taken by the system.",
        taken="There is a user {name} already. Change that one on the right.",
        no_role="Choose at least one role.",
        change_title="Change a user",
        choose="User",
        is_active="Active (inactive users cannot sign in; their reviews stay)",
        own_access="Administrators cannot take away their own access. Ask another administrator.",
        save="Save",
        saved="{name} was saved",
        unchanged="Nothing was changed.",
    ),
    audit=AuditWords(
        title="Audit log",
        intro="Who did what to what, and when. Each hash covers all entries before it, so changes show. Times: {zone}.",
        everyone="Everyone",
        all_actions="All actions",
        actor="Person",
        action="Action",
        subject="Subject",
        subject_hint="part of a case, a name, …",
        days="Days",
        columns=("No.", "Time", "Person", "Action", "Subject", "Details", "Hash"),
        count="{count} entries",
        none="No entry passes the filters.",
        verify="Verify the whole chain",
        holds="The audit chain holds: {count} entries, head {hash}",
        empty="The audit chain is empty.",
        broken="The audit chain is broken: ",
        anchor="A hash written down before (optional)",
        anchor_help="A head kept elsewhere, which must still be in the chain. Only it shows that the whole chain was "
        "written anew.",
        export="Export as CSV",
        export_note="All entries that pass the filters. The export is an entry, too.",
        actions={
            "person": "change a user",
            "open case": "open a case",
            "page refused": "page refused",
            "film refused": "film refused",
            "sign-in refused": "sign-in refused",
            "draft": "save a draft",
            "submitted": "submit a review",
            "amended": "amend a review",
            "void": "void a review",
            "adjudicate": "adjudicate",
            "adopt": "take over a review",
            "adopt file": "take over a file",
            "backup": "backup",
            "export audit": "export the audit log",
            "export": "export",
            "open task": "open a task",
            "open dispute": "open a disputed case",
            "skip": "skip a task",
            "begin study": "begin a study",
            "close study": "close a study",
            "assign": "assign tasks",
            "unblind": "unblind a study",
            "live generation": "live generation",
            "download export": "download an export",
            "send to PACS": "send to the PACS",
        },
    ),
    about=AboutWords(
        title="My account, and about",
        account="My account",
        name="Name",
        signed_in_as="Signed in as",
        your_roles="Roles",
        sign_in="Sign-in",
        no_sign_in="one user of this machine, no sign-in",
        local_drafts="Text not on the server yet is kept in this browser. On a shared computer, wait for “Saved” and "
        "sign out or close the browser.",
        purpose_title="Purpose",
        purpose=(
            "This system is for research: it judges models that write chest X-ray reports and collects corrections.",
            "It is no medical device, it is not for diagnosis, and it does not take the place of a physician's report.",
            "The films in the browser are not of diagnostic quality; the display is not calibrated (GSDF).",
        ),
        generated_title="Generated content",
        generated=(
            "Reports marked “AI-generated” were written by a model, may be wrong, and must not be used in the clinic "
            "unless a physician has checked and signed them.",
            "Text that a physician has changed is marked as such; the text before and every change are kept.",
            "Every exported file carries the mark of generated content. Do not remove, alter or hide it.",
        ),
        program_title="Program",
        licence="Licence: {licence}",
    ),
)
ADMINISTRATION_WORDS: Mapping[str, AdministrationWords] = MappingProxyType({"zh": _ZH, "en": _EN})
