#!/usr/bin/env python3
"""State ten times larger than `--memory`: the result is exact, and the process stays within its budget.

    tests/state/budget_test.py            under a minute
    tests/state/budget_test.py --long     four times as much of everything

The peak is the kernel's count of the child's pages (ru_maxrss), less that of the same program with one row.
"""

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
KEY_BYTES = 200
ROUNDS = 2

PROGRAM = """record R { k: string, v: int64, ts: timestamp(ms) }
source s: R = file("%(rows)s") { format = json, event_time = ts, watermark = 1h }
stream c = s | window tumble(1h) by k { n = count(), total = sum(v) }
sink c -> file("%(out)s") { format = json }
"""


def key(number):
    return f"{number:08d}".ljust(KEY_BYTES, "x")


def write_rows(path, keys):
    """Every key once in each round, in no order."""
    with open(path, "w", encoding="ascii") as out:
        for turn in range(ROUNDS):
            at = turn
            for _ in range(keys):
                at = (at + 7_368_787) % keys
                out.write(f'{{"k":"{key(at)}","v":{at + turn},"ts":{turn}}}\n')


def run(folder, name, keys, memory):
    """Seconds, peak in bytes; the result is in <name>.out."""
    write_rows(folder / f"{name}.in", keys)
    program = folder / f"{name}.weir"
    program.write_text(PROGRAM % {"rows": folder / f"{name}.in", "out": folder / f"{name}.out"})
    begin = time.monotonic()
    child = subprocess.Popen([WEIR, "run", program, "--state", folder / f"{name}.state", "--memory", str(memory), "--json"],
                             stderr=(folder / f"{name}.log").open("w"))
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise AssertionError(f"weir ended with {child.returncode}: {(folder / f'{name}.log').read_text()[-500:]}")
    return time.monotonic() - begin, usage.ru_maxrss * 1024


def check_result(path, keys):
    seen = bytearray(keys)
    with open(path, encoding="ascii") as rows:
        for row in rows:
            group = json.loads(row)
            number = int(group["k"][:8])
            assert group["k"] == key(number) and not seen[number], f"key {number} is there twice, or is none"
            seen[number] = 1
            expected = sum(number + turn for turn in range(ROUNDS))
            assert (group["n"], group["total"]) == (ROUNDS, expected), f"key {number}: {row}, expected {ROUNDS}, {expected}"
    assert sum(seen) == keys, f"{keys - sum(seen)} of {keys} keys are missing"


def main():
    scale = 4 if "--long" in sys.argv[1:] else 1
    memory = scale * (16 << 20)
    keys = STATE_MIN * memory // (KEY_BYTES + ACCUMULATOR_BYTES) + 1
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="weir_budget_") as name:
        folder = Path(name)
        _, begin = run(folder, "start", 1, memory)
        seconds, peak = run(folder, "large", keys, memory)
        used = (peak - begin) / memory

        def peak_is_bounded():
            assert used <= PEAK_MAX, f"peak {peak >> 20} MiB − start {begin >> 20} MiB = {used:.2f} budgets, {PEAK_MAX} are allowed"

        for test in (lambda: check_result(folder / "large.out", keys), peak_is_bounded):
            try:
                test()
                passed += 1
            except AssertionError as error:
                failed += 1
                print(f"FAILED {error}")
        print(f"{keys} groups twice in {seconds:.1f} s; budget {memory >> 20} MiB, state {STATE_MIN} times that, used {used:.2f} times")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
