#!/usr/bin/env python3
"""Ours beside htmldate, on the same pages in one run.

    benches/generic/compare.py [--binary PATH] [--verbose]

Needs htmldate (pip install htmldate). Pages are the project's own fixtures, the portal pages of the
folder in XUNJIAN_CORPUS where that is set, and the mutants of both. htmldate reads articles only;
both are held to the day. Goals, each of which fails the run: every page itself right; at most 1 %
of the mutants wrong; at least as many days right as htmldate and no more of them wrong; 20 times as
fast, whole pages from bytes to date (ours also reads title, address and digests of the text).
"""
import argparse
import collections
import datetime
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import htmldate
import htmldate.meta

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPEED_MIN = 20
WRONG_MAX = 0.01


def build():
    subprocess.run(["cargo", "build", "--release", "--quiet", "--example", "generic_reader"], cwd=ROOT, check=True)
    return ROOT / "target/release/examples/generic_reader"


def theirs(page):
    """htmldate's day and the microseconds it took; the fastest of three, its caches emptied."""
    body = pathlib.Path(page["file"]).read_bytes()
    best, day = None, None
    for _ in range(3):
        htmldate.meta.reset_caches()
        began = time.perf_counter()
        try:
            day = htmldate.find_date(body, url=page["url"], original_date=True, max_date=page["observed"])
        except Exception as error:  # a crash is no answer
            day = None
        took = (time.perf_counter() - began) * 1e6
        best = took if best is None else min(best, took)
    return day, best


def rate(name, tally):
    total = sum(tally.values())
    right, refused, wrong = (tally[key] for key in ("Right", "Refused", "Wrong"))
    print(f"{name:46} {total:6} {right:7} {refused:8} {wrong:6}  {100 * wrong / max(total, 1):5.2f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, help="a built example generic_reader")
    parser.add_argument("--verbose", action="store_true", help="tell every page that ours did not read right")
    options = parser.parse_args()
    binary = options.binary or build()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([binary, folder], check=True)
        pages = [json.loads(line) for line in open(pathlib.Path(folder, "pages.jsonl"))]
        tallies = collections.defaultdict(collections.Counter)
        ratios, times = [], [0.0, 0.0]
        for page in pages:
            kind = "list" if page["list"] else "article"
            state = "itself" if page["mutation"] == "itself" else "mutants" if page["readable"] else "no date left"
            tallies["ours", page["source"], kind, state][page["answer"]] += 1
            if options.verbose and page["answer"] != ("Right" if page["readable"] else "Refused"):
                print(page["answer"], page["page"], page["mutation"], page["told"], page["reason"] or page["finding"])
            if page["list"]:
                continue
            day, micros = theirs(page)
            answer = "Refused" if day is None else "Right" if day in page["days"] else "Wrong"
            tallies["htmldate", page["source"], kind, state][answer] += 1
            ratios.append(micros / max(page["micros"], 1))
            times[0] += page["micros"]
            times[1] += micros
    print(f"{'':46} {'pages':>6} {'right':>7} {'refused':>8} {'wrong':>6}")
    total = collections.defaultdict(collections.Counter)
    for key in sorted(tallies):
        rate(" ".join(key), tallies[key])
        who, _, kind, state = key
        total[who, kind, state].update(tallies[key])
    speed = times[1] / times[0]
    articles = len(ratios)
    print(f"speed, articles: ours {times[0] / articles:.0f} us a page, htmldate {times[1] / articles:.0f} us, "
          f"{speed:.1f} times as fast (median of the pages {statistics.median(ratios):.1f})")
    failures = judge(total, speed)
    print("\n".join(failures) or "all goals met")
    return 1 if failures else 0


def judge(total, speed):
    failures = []
    for kind in ("article", "list"):
        itself, mutants = total["ours", kind, "itself"], total["ours", kind, "mutants"]
        if itself["Refused"] or itself["Wrong"]:
            failures.append(f"{kind}: not every page itself is right")
        changed = mutants + total["ours", kind, "no date left"]
        if changed["Wrong"] > WRONG_MAX * sum(changed.values()):
            failures.append(f"{kind}: more than 1 % of the mutants wrong")
    for state in ("itself", "mutants"):
        ours, other = total["ours", "article", state], total["htmldate", "article", state]
        if ours["Right"] < other["Right"] or ours["Wrong"] > other["Wrong"]:
            failures.append(f"articles, {state}: less accurate than htmldate")
    if speed < SPEED_MIN:
        failures.append(f"less than {SPEED_MIN} times as fast as htmldate")
    return failures


if __name__ == "__main__":
    sys.exit(main())
