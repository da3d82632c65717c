"""How long a film takes to become model input: `python bench/films.py --out bench/results`.

A 3000 x 2500 film of 12 bits is read and reduced to 448 px by this kit and by others, in seven transfer syntaxes. Each
pair of reader and syntax runs in a process of its own; counted is CPU time of all its threads (a busy machine does not
change it much), the median of the repetitions after one for warming up, and by how much reading raised the peak of
memory. How to install the others: `bench/requirements.txt`.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from film_readers import BASE_READER, READERS, SIZE

_PACKAGES = ("pydicom", "python-gdcm", "imagecodecs", "pyjpegls", "pylibjpeg-openjpeg", "opencv-python-headless")
_PACKAGES += ("SimpleITK", "torchxrayvision", "pillow", "numpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """`cpu_ms`: median per film. `peak_mib`: peak memory above that at the start. `error`: why there is none."""

    cpu_ms: float = 0.0
    peak_mib: float = 0.0
    error: str = ""


def measure(reader: str, *, film: Path, repeat: int) -> Measured:
    """Measure one reader on one film in this process."""
    read = READERS[reader]()
    before = _peak_mib()
    try:
        read(film)
    except Exception as error:  # whatever the reader raises is its result here
        return Measured(error=type(error).__name__)
    times = []
    for _ in range(repeat):
        started = time.process_time()
        read(film)
        times.append(1000 * (time.process_time() - started))
    return Measured(cpu_ms=statistics.median(times), peak_mib=_peak_mib() - before)


def measure_in_child(reader: str, *, film: Path, repeat: int) -> Measured:
    """Measure in a fresh process, so that neither imports nor memory of another reader count."""
    command = [sys.executable, __file__, "--reader", reader, "--film", str(film), "--repeat", str(repeat)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return Measured(error=done.stderr.strip().splitlines()[-1].split(":")[0])
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def table(results: dict[str, dict[str, Measured]], *, sizes: dict[str, float]) -> str:
    """Write the results as Markdown: CPU ms, how many times as long as the kit's rendering, and MiB."""
    lines = ["| syntax (MB) | " + " | ".join(READERS) + " |", "|---" * (len(READERS) + 1) + "|"]
    for syntax, found in results.items():
        ours = found[BASE_READER].cpu_ms
        cells = [_cell(found[reader], ours=ours) for reader in READERS]
        lines.append(f"| {syntax} ({sizes[syntax]:.1f}) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def report(results: dict[str, dict[str, Measured]], *, sizes: dict[str, float], repeat: int, fed: float) -> str:
    """Write the page that goes into `bench/results`."""
    versions = ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    return (
        f"# Films to 448 px, {datetime.now(UTC):%Y-%m-%d}\n\n"
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python "
        f"{platform.python_version()}; {versions}. Load at the end: {os.getloadavg()[0]:.1f}.\n\n"
        f"CPU ms per film (median of {repeat}), times as long as this kit's rendering, peak MiB above the start.\n"
        "`load_film` also hashes the file, reads the study's header and checks the view. SimpleITK and\n"
        "torchxrayvision apply no window.\n\n"
        f"{table(results, sizes=sizes)}\n\n"
        "## Reading a prepared store\n\n"
        f"{fed:.0f} films per second of CPU time: drawn films of {SIZE} px, random order, one process.\n"
    )


def main() -> None:
    """Run all pairs and write the page, or one pair for a child process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("bench/results"))
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--reader", choices=list(READERS), help=argparse.SUPPRESS)
    parser.add_argument("--film", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.reader:
        print(json.dumps(asdict(measure(arguments.reader, film=arguments.film, repeat=arguments.repeat))))
        return
    from feeding import films_per_second  # these import pydicom, which children import in their own way
    from film_syntaxes import write_films

    results: dict[str, dict[str, Measured]] = {}
    with TemporaryDirectory() as folder:
        films = write_films(Path(folder))
        for syntax, film in films.items():
            results[syntax] = {
                reader: measure_in_child(reader, film=film, repeat=arguments.repeat) for reader in READERS
            }
            print(syntax, {reader: found.error or round(found.cpu_ms) for reader, found in results[syntax].items()})
        sizes = {syntax: film.stat().st_size / 1e6 for syntax, film in films.items()}
        fed = films_per_second(Path(folder), size=SIZE)
    arguments.out.mkdir(parents=True, exist_ok=True)
    page = arguments.out / f"films-{datetime.now(UTC):%Y-%m-%d}.md"
    page.write_text(report(results, sizes=sizes, repeat=arguments.repeat, fed=fed), encoding="utf-8")
    print(page)


def _cell(found: Measured, *, ours: float) -> str:
    if found.error:
        return f"– ({found.error})"
    return f"{found.cpu_ms:.0f} ms, {found.cpu_ms / ours:.1f}x, {found.peak_mib:.0f} MiB"


def _peak_mib() -> float:
    """Return the peak of this process alone: `ru_maxrss` would start with the parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor()


if __name__ == "__main__":
    main()
