"""Ride events, and the ride query computed the plain way: what the pipelines of these tests must give."""

import collections
import decimal
import json
import random

from support.topics import Record

TYPES = ["start", "stop", "accept", "cancel", "heartbeat"]
MINUTE, HALF = 60_000, 30_000

PROGRAM = """
record RideEvent {{
  event_id:   string
  user_id:    string
  event_type: string
  amount:     decimal(12, 2)?
  ts:         timestamp(ms)
}}

source rides: RideEvent = kafka("{rides}") {{
  format     = json
  event_time = ts
  watermark  = 10m
  on_error   = dead_letter("{dead}")
}}

stream counts = rides
  | where {predicate}
  | window {window} by event_type {{
      rides   = count()
      revenue = sum(amount)
    }}

sink counts -> kafka("{counts}") {{
  key    = event_type
  format = json
  emit   = {emit}
}}
"""


def program(path, rides, counts, dead, predicate='event_type != "heartbeat"', window="hop(1m, every 30s)", emit="append"):
    path.write_text(PROGRAM.format(rides=rides, counts=counts, dead=dead, predicate=predicate, window=window, emit=emit))
    return path


def events(count, partitions=4, seed=1, start=1735689600000, step=40):
    """Records with some disorder, none of them later than the watermark's ten minutes."""
    rng = random.Random(seed)
    records = []
    for i in range(count):
        ts = start + i * step + rng.randrange(-120_000, 1)
        event = {"event_id": f"e{i}", "user_id": f"u{rng.randrange(1000)}",
                 "event_type": rng.choices(TYPES, [40, 25, 15, 5, 15])[0], "ts": ts}
        if rng.random() < 0.8:
            event["amount"] = float(decimal.Decimal(rng.randrange(100, 6000)) / 100)
        records.append(Record(value=json.dumps(event, separators=(",", ":")).encode(), key=event["user_id"].encode(),
                              partition=i % partitions))
    return records


def expected(records):
    """{(window_start ms, type): (count, revenue)} of hop(1m, every 30s), heartbeats left out."""
    groups = collections.defaultdict(lambda: [0, None])
    for record in records:
        event = json.loads(record.value, parse_float=decimal.Decimal)
        if event["event_type"] == "heartbeat":
            continue
        last = event["ts"] // HALF * HALF
        for window in (last - HALF, last):
            group = groups[window, event["event_type"]]
            group[0] += 1
            if event.get("amount") is not None:
                group[1] = (group[1] or decimal.Decimal(0)) + decimal.Decimal(event["amount"])
    return {key: (count, revenue) for key, (count, revenue) in groups.items()}


def rows(records):
    """What a pipeline wrote, in the form of `expected`; two rows of one window and type are an error."""
    found = {}
    for record in records:
        row = json.loads(record.value, parse_float=decimal.Decimal)
        start = row["window_start"]
        start = start // 1000 if start > 10**14 else start
        key = start, row["event_type"]
        assert key not in found, f"{key} was written twice: {found[key]} and {row}"
        revenue = row.get("revenue")
        found[key] = row["rides"], None if revenue is None else decimal.Decimal(revenue)
        assert record.key is None or record.key.decode() == row["event_type"]
    return found


def assert_same(found, wanted):
    missing = {key: wanted[key] for key in wanted.keys() - found.keys()}
    extra = {key: found[key] for key in found.keys() - wanted.keys()}
    wrong = {key: (found[key], wanted[key]) for key in wanted.keys() & found.keys() if found[key] != wanted[key]}
    assert not (missing or extra or wrong), (
        f"{len(missing)} rows missing {list(missing.items())[:3]}, {len(extra)} too many {list(extra.items())[:3]}, "
        f"{len(wrong)} wrong (found, wanted) {list(wrong.items())[:3]}")
