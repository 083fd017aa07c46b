#!/usr/bin/python3
"""What the samples have to give, computed in the plainest way: the programs' meaning written a second time.

    samples/oracle.py              rewrites every samples/*/expected/ from samples/*/data/
    samples/oracle.py --check      says whether they are up to date

It shares no code with Weir. Rows go one by one through one list of windows; a row counts in a window
unless the watermark, as it was before that row, has reached the window's end. This is the result for
one partition that is read in the order of the file. With several, the watermark is the least of
theirs, so what is late may differ, and nothing else.

`expected/<stream>.jsonl` is the relation at the end: of rows with the same window and key the last one,
in the order of window and key. `expected/aside.json` counts the rows that were late for all their
windows, and those that were put aside, by reason.
"""

import argparse
import decimal
import json
import pathlib
import sys
from decimal import Decimal

SAMPLES = pathlib.Path(__file__).resolve().parent
MINUTE = 60_000_000


class BadRow(Exception):
    """A row that is put aside; the argument is the reason."""


def microseconds(row, name):
    """A timestamp(ms) of the row."""
    value = field(row, name, int)
    return value * 1000


def field(row, name, kind):
    if name not in row:
        raise BadRow("missing_field")
    return typed(row[name], kind)


def typed(value, kind):
    if value is None:
        raise BadRow("null_field")
    if not isinstance(value, kind) or isinstance(value, bool):
        raise BadRow("wrong_type")
    return value


def cents(row, name):
    """A decimal(12, 2)?, or None."""
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
        raise BadRow("wrong_type")
    value = Decimal(value)
    if value != round(value, 2) or abs(value) >= 10**10:
        raise BadRow("out_of_range")
    return value.quantize(Decimal("0.01"))


def parse(line):
    """The record; of a key that stands twice the first."""
    def first_of(pairs):
        record = {}
        for name, value in pairs:
            record.setdefault(name, value)
        return record

    try:
        record = json.loads(line, parse_float=Decimal, object_pairs_hook=first_of)
    except ValueError:
        raise BadRow("malformed") from None
    if not isinstance(record, dict):
        raise BadRow("malformed")
    return record


class Windows:
    """Groups by window and key; `start` makes a group, `add` takes a row into it."""

    def __init__(self, size, slide, watermark):
        self.size, self.slide, self.delay = size, slide, watermark
        self.latest = None
        self.groups = {}
        self.late = 0

    def seen(self, time):
        """Every row that has an event time moves the watermark, after it was worked on."""
        self.latest = time if self.latest is None else max(self.latest, time)

    def groups_of(self, time, key, start):
        watermark = None if self.latest is None else self.latest - self.delay
        found = []
        window = time // self.slide * self.slide
        while window + self.size > time:
            if watermark is None or window + self.size > watermark:
                found.append(self.groups.setdefault((window, key), start()))
            window -= self.slide
        if not found:
            self.late += 1
        return found


def run(lines, windows, take):
    """Gives each record to `take(record)`, counts the bad ones, moves the watermark."""
    bad = {}
    for line in lines:
        time = None
        try:
            record = parse(line)
            time = microseconds(record, "ts")
            take(record, time)
        except BadRow as problem:
            reason = problem.args[0]
            bad[reason] = bad.get(reason, 0) + 1
        if time is not None:
            windows.seen(time)
    return {"late": windows.late, "bad": bad}


def ride_events(lines):
    windows = Windows(MINUTE, MINUTE // 2, 10 * MINUTE)

    def take(record, time):
        event_type = field(record, "event_type", str)
        if event_type == "heartbeat":
            return
        amount = cents(record, "amount")
        for group in windows.groups_of(time, event_type, lambda: {"rides": 0, "revenue": None}):
            group["rides"] += 1
            if amount is not None:
                group["revenue"] = amount + (group["revenue"] or 0)

    aside = run(lines, windows, take)
    return "event_type", windows, lambda group: group, aside


def error_rates(lines):
    windows = Windows(MINUTE, MINUTE, MINUTE // 2)

    def take(record, time):
        http = record.get("http")
        if http is None:
            return
        typed(http, dict)
        path = field(http, "path", str)
        if path.startswith("/internal/"):
            return
        service = field(record, "service", str)
        failed = field(http, "status", int) >= 500 or field(record, "level", str) == "error"
        for group in windows.groups_of(time, service, lambda: {"requests": 0, "errors": 0}):
            group["requests"] += 1
            group["errors"] += failed

    aside = run(lines, windows, take)
    return "service", windows, lambda group: {**group, "error_share": group["errors"] / group["requests"]}, aside


def user_activity(lines):
    windows = Windows(MINUTE, MINUTE, MINUTE // 6)

    def take(record, time):
        user = field(record, "user_id", str)
        bought = field(record, "action", str) == "buy"
        amount = cents(record, "amount")
        start = lambda: {"events": 0, "bought": 0, "spent": None, "dearest": None, "first_at": time // 1000}
        for group in windows.groups_of(time, user, start):
            group["events"] += 1
            group["bought"] += bought
            group["first_at"] = min(group["first_at"], time // 1000)
            if amount is not None:
                group["spent"] = amount + (group["spent"] or 0)
                group["dearest"] = amount if group["dearest"] is None else max(group["dearest"], amount)

    aside = run(lines, windows, take)
    return "user_id", windows, lambda group: group, aside


# (folder, file of data, stream, computation)
EXPECTATIONS = [
    ("ride_events", "rides", "counts", ride_events),
    ("error_rates", "logs", "error_rates", error_rates),
    ("user_activity", "activity", "per_user", user_activity),
]


def write_row(row):
    """JSON with decimals as they are: json.dumps has no way for them."""
    def text(value):
        return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)

    return "{" + ",".join(f'"{name}":{text(value)}' for name, value in row.items()) + "}"


def expectation(folder, data, compute):
    """(lines of the relation, what was put aside as text)"""
    with open(SAMPLES / folder / "data" / f"{data}.jsonl", encoding="utf-8") as file:
        key_name, windows, finish, aside = compute(file)
    rows = []
    for (window, key), group in sorted(windows.groups.items()):
        rows.append(write_row({"window_start": window, "window_end": window + windows.size, key_name: key,
                               **finish(group)}))
    return "".join(row + "\n" for row in rows), json.dumps(aside, sort_keys=True) + "\n"


def main():
    decimal.getcontext().prec = 38
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if something would change")
    arguments = parser.parse_args()
    stale = []
    for folder, data, stream, compute in EXPECTATIONS:
        rows, aside = expectation(folder, data, compute)
        for name, text in [(f"{stream}.jsonl", rows), ("aside.json", aside)]:
            path = SAMPLES / folder / "expected" / name
            if arguments.check:
                if not path.exists() or path.read_text(encoding="utf-8") != text:
                    stale.append(str(path.relative_to(SAMPLES.parent)))
            else:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
    if stale:
        sys.exit("not what the oracle gives: " + ", ".join(stale))


if __name__ == "__main__":
    main()
