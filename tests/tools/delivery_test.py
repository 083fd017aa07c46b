#!/usr/bin/python3
"""What `weir explain --delivery` says of a sink holds: the process is killed at each step of a commit, started again, and rows are counted.

    tests/tools/delivery_test.py [--weir build/weir]

The same through a broker is tests/integration/exactly_once_test.py.
"""

import argparse
import collections
import os
import pathlib
import subprocess
import sys
import tempfile

ROWS = [f'{{"k":"{number}"}}' for number in range(20)]
PROGRAM = """record R {{ k: string }}
source rows: R = {source}
sink file = rows -> file("out.jsonl")
sink printed = rows -> stdout()
"""
STEPS = ["C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9"]


def levels(weir, folder):
    """What explain says of each sink."""
    shown = subprocess.run([weir, "explain", "--delivery", "p.weir"], cwd=folder, capture_output=True, text=True, check=True)
    heads = [line for line in shown.stdout.splitlines() if line.startswith("sink ")]
    return {head.split()[1]: " ".join(head.split()[-3:]).removeprefix('file("out.jsonl") ').removeprefix("stdout ") for head in heads}


def run(weir, folder, source, failpoint):
    """One process until it ends or is killed: what it printed."""
    words = [weir, "run", "p.weir", "--state", "state", "--epoch-rows", "5", "--batch", "5", "--quiet"]
    environment = dict(os.environ, **({"WEIR_FAILPOINT": f"{failpoint}:kill:2"} if failpoint else {}))
    given = "\n".join(ROWS) + "\n" if source == "stdin()" and failpoint else ""
    done = subprocess.run(words, cwd=folder, input=given, capture_output=True, text=True, env=environment, timeout=60)
    if (done.returncode == 0) == bool(failpoint):
        raise SystemExit(f"with the failpoint {failpoint} the process ended with {done.returncode}:\n{done.stderr}")
    return done.stdout.splitlines()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weir", default=pathlib.Path(__file__).resolve().parents[2] / "build" / "weir")
    weir = str(pathlib.Path(parser.parse_args().weir).resolve())
    problems, lost = [], collections.Counter()
    for source, expected in (('file("in.jsonl")', {"file": "exactly once", "printed": "at most once"}),
                             ("stdin()", {"file": "at most once", "printed": "at most once"})):
        for step in STEPS:
            with tempfile.TemporaryDirectory() as name:
                folder = pathlib.Path(name)
                (folder / "p.weir").write_text(PROGRAM.format(source=source))
                (folder / "in.jsonl").write_text("\n".join(ROWS) + "\n")
                said = levels(weir, folder)
                if said != expected:
                    problems.append(f"{source}: explain says {said}, expected {expected}")
                printed = run(weir, folder, source, step) + run(weir, folder, source, None)
                found = {"file": (folder / "out.jsonl").read_text().splitlines(), "printed": printed}
            for sink, rows in found.items():
                times = collections.Counter(rows)
                missing = [row for row in ROWS if row not in times]
                lost[source, sink] += len(missing)
                if max(times.values()) > 1:
                    problems.append(f"{source}, killed at {step}: a row is in `{sink}` {max(times.values())} times")
                if missing and said.get(sink) == "exactly once":
                    problems.append(f"{source}, killed at {step}: {len(missing)} rows are missing in `{sink}`")
    # A level that is lower than what happens would be a lie as well.
    for (source, sink), rows in lost.items():
        if (rows == 0) != (source != "stdin()" and sink == "file"):
            problems.append(f"{source}: {rows} rows were lost in `{sink}` over all steps")
    print("\n".join(problems) if problems else f"delivery: {2 * len(STEPS)} kills, as explain says")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
