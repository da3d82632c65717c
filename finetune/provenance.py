"""What ran where: code, environment, files. Read once, for the manifest."""

import hashlib
import platform
import resource
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from finetune.manifest import Artefact, CodeState, Environment
from xray import __version__

_PACKAGES = (
    "accelerate",
    "albumentations",
    "bitsandbytes",
    "imagecodecs",
    "numpy",
    "opencv-python-headless",
    "peft",
    "pillow",
    "pydicom",
    "sacrebleu",
    "scikit-learn",
    "tokenizers",
    "torch",
    "transformers",
)


def code_state() -> CodeState:
    """Return version and commit of the code; commit is None where the package is not in a git checkout."""
    root = Path(__file__).resolve().parent.parent
    commit = _git(root, "rev-parse", "HEAD") if (root / ".git").exists() else None
    changed = bool(_git(root, "status", "--porcelain", "--untracked-files=no")) if commit else None
    return CodeState(version=__version__, commit=commit, changed=changed)


def environment() -> Environment:
    """Return interpreter, machine, device and the versions of the packages that can change a number."""
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        processor=_processor(),
        device=torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu",
        num_threads=torch.get_num_threads(),
        packages={name: _version(name) for name in _PACKAGES},
    )


def artefact(path: Path, *, root: Path) -> Artefact:
    """Return path (relative to `root`), sha256 and size of one file."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Artefact(path=path.relative_to(root).as_posix(), sha256=digest, bytes=path.stat().st_size)


def peak_memory_mib() -> float:
    """Return the most memory this process and any finished child ever held, in MiB."""
    kib = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(kib / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def peak_gpu_memory_mib() -> float | None:
    """Return the most memory that tensors held on the GPU, in MiB; None without one."""
    return round(torch.cuda.max_memory_allocated() / 2**20, 1) if torch.cuda.is_available() else None


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
