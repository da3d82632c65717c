"""One error planted into a copy of each report: how often the comparison with the original notices.

    python -m bench.planted_errors FILE [--profile mt] [--missed KIND]

FILE is JSON Lines with the report in `zh` or `text`. `xray.text.planting` says where an error is planted.
"""

import argparse
import json
import random
from pathlib import Path

from xray.metrics.compare import compare_findings
from xray.text.lexicon import PROFILES
from xray.text.planting import PLANTED, plant


def main() -> None:
    """Plant one error of each kind into each report, and print the share that is noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path)
    parser.add_argument("--profile", choices=PROFILES, default="mt")
    parser.add_argument("--missed", choices=PLANTED)
    options = parser.parse_args()
    rows = [json.loads(line) for line in options.reports.read_text(encoding="utf-8").splitlines()]
    texts = dict.fromkeys(row.get("zh") or row["text"] for row in rows)
    for kind in PLANTED:
        noticed, planted = 0, 0
        for number, text in enumerate(texts):
            changed = plant(text, kind=kind, rng=random.Random(number), profile=options.profile)
            if changed is None:
                continue
            planted += 1
            found = any(compare_findings(changed, text, profile=options.profile).errors.values())
            noticed += found
            if not found and kind == options.missed:
                print(f"{text}\n  -> {changed}\n")
        print(f"{kind:10s} noticed {noticed} of {planted} ({noticed / max(planted, 1):.1%})")


if __name__ == "__main__":
    main()
