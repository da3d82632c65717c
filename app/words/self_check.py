"""The texts of the system check."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

State = Literal["ok", "warning", "fault"]
Topic = Literal[
    "database", "schema", "disk", "backup", "runs", "agent", "telemetry", "static", "details", "sign_in", "lock",
    "sessions", "versions",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheckWords:
    """One language's texts. `advice` has a sentence for each topic that can go wrong."""

    title: str
    intro: str
    again: str
    states: Mapping[State, str]
    topics: Mapping[Topic, str]
    advice: Mapping[Topic, str]
    columns: tuple[str, str, str, str]
    summary_ok: str
    summary_bad: str
    whole: str
    silent: str
    damaged: str
    off: str
    on: str
    never: str
    free: str
    no_backup: str
    backup_age: str
    runs_ok: str
    runs_left_out: str
    left_out_title: str
    modes: Mapping[str, str]
    lock_after: str
    backup_now: str
    backup_note: str
    backup_done: str


SELF_CHECK_WORDS: Mapping[str, SelfCheckWords] = MappingProxyType(
    {
        "zh": SelfCheckWords(
            title="系统自检",
            intro="每一项的结果与处理办法。检查数据库完整性时会读取整个数据库。",
            again="重新检查",
            states={"ok": "正常", "warning": "注意", "fault": "故障"},
            topics={
                "database": "数据库完整性",
                "schema": "数据库结构版本",
                "disk": "磁盘剩余空间",
                "backup": "最近一次备份",
                "runs": "运行结果",
                "agent": "程序接口（Agent API）",
                "telemetry": "使用统计上报",
                "static": "静态文件服务",
                "details": "错误详情显示",
                "sign_in": "登录方式",
                "lock": "无操作锁定",
                "sessions": "当前会话数",
                "versions": "软件版本",
            },
            advice={
                "database": "请停止服务，用最近的备份恢复（python -m app restore），并检查磁盘。",
                "schema": "程序与数据库版本不一致。请更新程序并重启服务。",
                "disk": "剩余空间不足时评审将无法保存。请清理磁盘或扩容。",
                "backup": "请立即备份，并设置每日定时备份（见 docs/deployment.md）。",
                "runs": "请恢复缺失的文件，或用 finetune run 重新生成；见下方清单。",
                "agent": "请用 python -m app 启动服务，不要直接用 streamlit run。",
                "telemetry": "请用 python -m app 启动服务，不要直接用 streamlit run。",
                "static": "请用 python -m app 启动服务，不要直接用 streamlit run。",
                "details": "请用 python -m app 启动服务，不要直接用 streamlit run。",
                "sign_in": "请用防火墙只允许反向代理访问，或让服务仅监听 127.0.0.1。",
                "lock": "请用 --lock-minutes 设置锁定时间，建议 15 分钟。",
            },
            columns=("项目", "结果", "详情", "处理办法"),
            summary_ok="全部正常",
            summary_bad="{faults} 项故障，{warnings} 项需要注意",
            whole="完整（{engine}）",
            silent="数据库没有响应",
            damaged="数据库文件已损坏",
            off="已关闭",
            on="已开启",
            never="从不",
            free="{free:.1f} GB 可用，共 {total:.1f} GB",
            no_backup="备份文件夹中没有备份",
            backup_age="{age:.0f} 小时前：{name}",
            runs_ok="{count} 次运行可读取",
            runs_left_out="{count} 次运行可读取，{left_out} 个文件夹无法读取",
            left_out_title="未列入的运行文件夹",
            modes={
                "local": "不登录（仅限本机，单一用户）",
                "oidc": "统一身份认证（OpenID Connect）",
                "header": "反向代理认证（请求头）",
            },
            lock_after="{minutes:g} 分钟",
            backup_now="立即备份",
            backup_note="备份写入服务器上的 {folder}，不影响正在进行的评审。备份包含全部评审内容，请妥善保管。",
            backup_done="已备份到 {name}，审计链共 {count} 条，最新哈希 {hash}",
        ),
        "en": SelfCheckWords(
            title="System check",
            intro="The state of each part, and what to do. The check of the database reads all of it.",
            again="Check again",
            states={"ok": "ok", "warning": "warning", "fault": "fault"},
            topics={
                "database": "Database integrity",
                "schema": "Database schema",
                "disk": "Free disk space",
                "backup": "Latest backup",
                "runs": "Runs",
                "agent": "Agent API",
                "telemetry": "Usage statistics",
                "static": "Static file serving",
                "details": "Error details on pages",
                "sign_in": "Sign-in",
                "lock": "Idle lock",
                "sessions": "Sessions now",
                "versions": "Versions",
            },
            advice={
                "database": "Stop the server, restore the latest backup (python -m app restore) and check the disk.",
                "schema": "Program and database differ. Update the program and start the server again.",
                "disk": "Reviews cannot be saved on a full disk. Free some space or enlarge it.",
                "backup": "Make a backup now, and have one made every day (docs/deployment.md).",
                "runs": "Restore the missing files or make them again with finetune run; they are listed below.",
                "agent": "Start the server with python -m app, not with streamlit run.",
                "telemetry": "Start the server with python -m app, not with streamlit run.",
                "static": "Start the server with python -m app, not with streamlit run.",
                "details": "Start the server with python -m app, not with streamlit run.",
                "sign_in": "Let a firewall stop everyone but the proxy, or have the server listen on 127.0.0.1.",
                "lock": "Set a time with --lock-minutes; 15 is a good one.",
            },
            columns=("Part", "State", "Found", "What to do"),
            summary_ok="All is well",
            summary_bad="{faults} faults, {warnings} warnings",
            whole="whole ({engine})",
            silent="the database does not answer",
            damaged="the file is damaged",
            off="off",
            on="on",
            never="never",
            free="{free:.1f} GB free of {total:.1f} GB",
            no_backup="no backup in the folder of backups",
            backup_age="{age:.0f} hours ago: {name}",
            runs_ok="{count} runs can be read",
            runs_left_out="{count} runs can be read, {left_out} folders cannot",
            left_out_title="Folders that are left out",
            modes={
                "local": "none (this machine only, one user)",
                "oidc": "OpenID Connect",
                "header": "reverse proxy (request header)",
            },
            lock_after="after {minutes:g} minutes",
            backup_now="Back up now",
            backup_note="Written to {folder} on the server while reviews go on. It holds all reviews: keep it safe.",
            backup_done="Backed up to {name}: {count} entries in the audit chain, head {hash}",
        ),
    }
)
