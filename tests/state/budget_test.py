#!/usr/bin/env python3
"""State ten times larger than `--memory`: the result is exact, and the process stays within its budget.

    tests/state/budget_test.py                 half a minute
    tests/state/budget_test.py --memory 64     of a budget in MiB (default 16)

The peak is the kernel's count of the child's pages (ru_maxrss), less that of the same program with one row.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEIR = ROOT / "build" / "weir"
PEAK_MAX = 1.25  # of the budget, behind the start-up
STATE_MIN = 10  # times the budget
ACCUMULATOR_BYTES = 8 + 8 + 16  # header, count, sum as decimal(38, 0)
KEY_BYTES = 300

ROUNDS = {"append": 2, "update": 1}  # every key once in each
PROGRAMS = {
    "append": """record R { k: string, v: int64, ts: timestamp(ms) }
source s: R = file("%(rows)s") { format = json, event_time = ts, watermark = 1h }
stream c = s | window tumble(1h) by k { n = count(), total = sum(v) }
sink c -> file("%(out)s") { format = json }
""",
    # Everything has changed when this fires, at the end.
    "update": """record R { k: string, v: int64, ts: timestamp(ms) }
source s: R = file("%(rows)s") { format = json, event_time = ts, watermark = 1h }
stream c = s | group by k { n = count(), total = sum(v) }
sink c -> file("%(out)s") { format = json, emit = update every 1h }
""",
}


def key(number):
    return f"{number:08d}".ljust(KEY_BYTES, "x")


def write_rows(path, keys, rounds):
    """Every key once in each round, in no order."""
    with open(path, "w", encoding="ascii") as out:
        for turn in range(rounds):
            at = turn
            for _ in range(keys):
                at = (at + 7_368_787) % keys
                out.write(f'{{"k":"{key(at)}","v":{at + turn},"ts":{turn}}}\n')


def run(folder, name, mode, keys, memory):
    """Seconds, of the processors too, and the peak in bytes; the result is in <name>.out."""
    write_rows(folder / f"{name}.in", keys, ROUNDS[mode])
    program = folder / f"{name}.weir"
    program.write_text(PROGRAMS[mode] % {"rows": folder / f"{name}.in", "out": folder / f"{name}.out"})
    begin = time.monotonic()
    child = subprocess.Popen([WEIR, "run", program, "--state", folder / f"{name}.state", "--memory", str(memory), "--json"],
                             stderr=(folder / f"{name}.log").open("w"))
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise AssertionError(f"weir ended with {child.returncode}: {(folder / f'{name}.log').read_text()[-500:]}")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def check_result(path, keys, rounds):
    seen = bytearray(keys)
    with open(path, encoding="ascii") as rows:
        for row in rows:
            group = json.loads(row)
            number = int(group["k"][:8])
            assert group["k"] == key(number) and not seen[number], f"key {number} is there twice, or is none"
            seen[number] = 1
            expected = sum(number + turn for turn in range(rounds))
            assert (group["n"], group["total"]) == (rounds, expected), f"key {number}: {row}, expected {rounds}, {expected}"
    assert sum(seen) == keys, f"{keys - sum(seen)} of {keys} keys are missing"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory", type=int, default=16)
    memory = parser.parse_args().memory << 20
    keys = STATE_MIN * memory // (KEY_BYTES + ACCUMULATOR_BYTES) + 1
    passed = failed = 0
    for mode, rounds in ROUNDS.items():
        with tempfile.TemporaryDirectory(prefix="weir_budget_") as name:
            folder = Path(name)
            _, _, begin = run(folder, "start", mode, 1, memory)
            seconds, cpu, peak = run(folder, "large", mode, keys, memory)
            used = (peak - begin) / memory

            def peak_is_bounded():
                assert used <= PEAK_MAX, f"peak {peak >> 20} MiB − start {begin >> 20} MiB = {used:.2f} budgets, {PEAK_MAX} are allowed"

            for test in (lambda: check_result(folder / "large.out", keys, rounds), peak_is_bounded):
                try:
                    test()
                    passed += 1
                except AssertionError as error:
                    failed += 1
                    print(f"FAILED {mode}: {error}")
        print(f"{mode}: {keys} groups, {rounds * keys} rows in {seconds:.1f} s, {cpu * 1e6 / (rounds * keys):.1f} µs of CPU each; "
              f"budget {memory >> 20} MiB, state {STATE_MIN} times that, used {used:.2f} times")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
