#!/usr/bin/python3
"""`weir explain --state` says how large state becomes: its formula against the bytes that the runtime measures.

    tests/state/size_test.py [--weir build/weir] [part of a name …]

Each program runs on endless generated rows until what it keeps is what it will always keep; the formula is told how many
keys, rows and values that are. Formula and metric have to be within 1.5 times of each other.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

FACTOR = 1.5
PORT = 9931
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

# A row each millisecond of event time.
HEAD = """record R {{ k: int64, s: string, v: int64, ts: timestamp(ms) }}
source r: R = generate() {{
  fields     = {{ "k" = "uniform 1 {keys}", "s" = "a-rather-long-name-\\{{uniform 10000 {names}\\}}", "v" = "uniform 1 {values}", "ts" = "clock" }}
  step       = 1ms
  event_time = ts
  watermark  = {watermark}
}}
"""


def program(operators, keys=2000, watermark="30s", values=9, emit="append"):
    head = HEAD.format(keys=keys, names=9999 + keys, values=values, watermark=watermark)
    return head + f"stream o = r | {operators}\nsink o -> discard() {{ emit = {emit} }}\n"


# Name, program, what is supposed, rows after which nothing grows any more.
CASES = [
    ("tumble", program("window tumble(10s) by k { n = count(), t = sum(v) }"), "keys=2000", 100_000),
    ("tumble by long names", program("window tumble(10s) by s { n = count(), t = avg(v) }"), "keys=2000,key_text=24", 100_000),
    ("hop", program("window hop(1m, every 10s) by k { n = count(), t = sum(v) }"), "keys=2000", 200_000),
    ("hop with updates", program("window hop(1m, every 10s) by k { n = count() }", emit="update every 1s"), "keys=2000", 200_000),
    ("running group", program("group by k { n = count(), t = sum(v) }", keys=20_000, emit="update every 10s"), "keys=20000", 400_000),
    ("group without keys", program("group { n = count() }", emit="update every 1s"), "keys=20000", 20_000),
    ("dedup", program("dedup by k within 10s", watermark="1s"), "keys=2000,rows=1", 100_000),
    ("over time", program("over by k { n = count(within 20s), t = sum(v within 20s) }", watermark="10s"), "keys=2000,rows=15", 90_000),
    ("over rows", program("over by k { t = sum(v within 10 rows) }", watermark="1s"), "keys=2000,rows=10", 90_000),
    ("over all rows", program("over by k { t = sum(v) }", watermark="4s"), "keys=2000,rows=2", 90_000),
    ("collect", program("window tumble(10s) by k { c = collect(v) }", keys=500, watermark="50s"), "keys=500,values=20", 150_000),
    ("count_distinct", program("window tumble(10s) by k { c = count_distinct(v) }", keys=500, values=99_999, watermark="50s"),
     "keys=500,values=20", 150_000),
    ("top", program("window tumble(10s) by k { c = top(3, v) }", keys=500, watermark="50s"), "keys=500,values=20", 150_000),
]


def said(weir, path, supposed):
    shown = subprocess.run([weir, "explain", "--state", "--suppose", supposed, path], capture_output=True, text=True, check=True).stdout
    number, unit = re.search(r"^       = (\S+) (\S+)$", shown, re.M).groups()
    return float(number) * UNITS[unit]


def gauges():
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return None
    return {name: float(re.search(rf"^{name}\{{.*\}} (\S+)$", text, re.M)[1]) for name in ("weir_state_bytes", "weir_records_in_total")}


def measured(weir, path, folder, rows):
    """The median of some looks at the metric."""
    words = [weir, "run", path, "--state", str(folder / "state"), "--metrics", f"127.0.0.1:{PORT}", "--quiet"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        looks, end = [], time.monotonic() + 60
        while len(looks) < 7 and time.monotonic() < end:
            if process.poll() is not None:
                raise SystemExit(f"`{' '.join(words)}` ended with {process.returncode}")
            time.sleep(0.15)
            now = gauges()
            if now and now["weir_records_in_total"] >= rows and now["weir_state_bytes"] > 0:
                looks.append(now["weir_state_bytes"])
        if len(looks) < 7:
            raise SystemExit(f"{path}: not {rows} rows in a minute")
        return statistics.median(looks)
    finally:
        process.kill()
        process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weir", default=pathlib.Path(__file__).resolve().parents[2] / "build" / "weir")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    weir = str(pathlib.Path(options.weir).resolve())
    wrong = 0
    for name, text, supposed, rows in CASES:
        if options.names and not any(part in name for part in options.names):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch) / "p.weir"
            path.write_text(text)
            formula = said(weir, str(path), supposed)
            metric = measured(weir, str(path), pathlib.Path(scratch), rows)
        ratio = formula / metric
        good = 1 / FACTOR <= ratio <= FACTOR
        wrong += not good
        print(f"{name}: formula {formula / 1024:.0f} KiB, measured {metric / 1024:.0f} KiB, {ratio:.2f}{'' if good else '  WRONG'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
