"""How long the scores of a corpus of Chinese reports take, beside RadEval's BLEU and ROUGE on the same texts.

    python -m bench.scores --reports FILE [--pairs 3300] [--radeval PYTHON] [--out bench/results]

FILE is JSON Lines with a report in `zh` or `text`; each report is compared with one drawn at random. Each tool runs in
a process of its own on one core; counted is its CPU time without its start and imports, and what it gives to texts
that are compared with themselves. RadEval needs an environment of its own, whose interpreter `--radeval` names:

    python3.11 -m venv /tmp/radeval && /tmp/radeval/bin/pip install torch==2.13.0 RadEval==2.2.1
"""

import argparse
import json
import os
import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

OURS = """
import json, sys, time
from xray.metrics import score
texts = json.load(open(sys.argv[1], encoding="utf-8"))
score({"a": "心影增大。"}, {"a": "心影增大。"}, profile="mt", resamples=10)
started = time.process_time()
report = score(texts["predictions"], texts["references"], profile="mt", resamples=2000)
seconds = time.process_time() - started
same = score(texts["references"], texts["references"], profile="mt", resamples=0)
shown = {name: same.metrics[name].value for name in ("bleu4_char", "rouge_l_char", "finding_f1", "frame_f1")}
print(json.dumps({"seconds": seconds, "metrics": len(report.metrics), "identical": shown}))
"""
RADEVAL = """
import json, sys, time
from radeval import RadEval
texts = json.load(open(sys.argv[1], encoding="utf-8"))
ids = list(texts["references"])
references = [texts["references"][name] for name in ids]
predictions = [texts["predictions"][name] for name in ids]
measure = RadEval(metrics=["bleu", "rouge"], show_progress=False)
measure(refs=references[:1], hyps=references[:1])
started = time.process_time()
found = measure(refs=references, hyps=predictions)
seconds = time.process_time() - started
same = measure(refs=references, hyps=references)
print(json.dumps({"seconds": seconds, "metrics": len(found), "identical": same}))
"""


def main() -> None:
    """Measure the tools and print a table; with `--out` it is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=3300)
    parser.add_argument("--radeval", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        texts = Path(folder) / "texts.json"
        texts.write_text(json.dumps(_pairs(options.reports, count=options.pairs), ensure_ascii=False), encoding="utf-8")
        rows = [("this kit, all metrics, 2,000 draws", _measured(sys.executable, OURS, texts))]
        if options.radeval:
            rows.append(("RadEval, BLEU and ROUGE, no intervals", _measured(str(options.radeval), RADEVAL, texts)))
    table = _table(rows, pairs=options.pairs)
    print(table)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / f"scores-{datetime.now(UTC):%Y-%m-%d}.md").write_text(table, encoding="utf-8")


def _pairs(path: Path, *, count: int) -> dict[str, dict[str, str]]:
    """Draw `count` pairs; no text is twice on one side while there are enough."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    texts = list(dict.fromkeys(row.get("zh") or row["text"] for row in rows))
    rng = random.Random(0)
    references = [texts[number % len(texts)] for number in range(count)]
    predictions = rng.sample(references, count)
    return {
        "references": {f"{number}": text for number, text in enumerate(references)},
        "predictions": {f"{number}": text for number, text in enumerate(predictions)},
    }


def _measured(python: str, code: str, texts: Path) -> dict[str, object]:
    core = str(min(os.sched_getaffinity(0)))
    done = subprocess.run(
        ["taskset", "-c", core, python, "-W", "ignore", "-c", code, str(texts)],
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1]}
    found: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _table(rows: list[tuple[str, dict[str, object]]], *, pairs: int) -> str:
    lines = [f"{pairs} pairs of Chinese reports, CPU seconds on one core.", ""]
    lines += ["| tool | metrics | CPU s | identical texts score |", "|---|---|---|---|"]
    for name, found in rows:
        if "error" in found:
            lines.append(f"| {name} | | | {found['error']} |")
            continue
        same = dict(found["identical"])  # type: ignore[call-overload]
        shown = ", ".join(f"{metric} {value:.3f}" for metric, value in same.items())
        lines.append(f"| {name} | {found['metrics']} | {found['seconds']:.2f} | {shown} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
