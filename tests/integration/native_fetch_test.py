#!/usr/bin/python3
"""Native fetch gives, record by record, what another client reads: whatever the topic is made of, whatever the broker does."""

import json
import os
import random
import signal
import socket
import struct
import time

import confluent_kafka

from support import report, topics, weir
from support.own_broker import OwnBroker
from support.topics import Record, Topics

PROGRAM = """
record R {{
  id:   int64
  body: string
}}

source s: R = kafka("{source}") {{
  format = json
  client = {client}
{more}}}

stream out = s | select {{
  id     = id
  body   = {body}
  at     = meta.offset
  part   = meta.partition
  key    = string(meta.key ?? bytes("none"))
  time   = meta.timestamp
  names  = len(meta.headers)
  trace  = string(meta.headers["trace"] ?? bytes("none"))
}}

sink out -> kafka("{out}") {{ format = json }}
"""


def write_program(folder, source, out, client="native", body="body", more=""):
    path = folder / "copy.weir"
    path.write_text(PROGRAM.format(source=source, out=out, client=client, body=body, more=more))
    return path


def arguments(mine, folder, program, until="end"):
    return ["run", program, "--name", mine.name("p"), "--brokers", topics.brokers(), "--state", folder / "state"] + (
        ["--until", until] if until else [])


def row_of(record, body="body"):
    """What the program makes of a record as another client reads it."""
    event = json.loads(record.value)
    headers = dict(reversed(record.headers))  # of equal names the first
    text = headers.get("trace")
    return {"id": event["id"], "body": len(event["body"]) if body == "size" else event["body"], "at": record.offset,
            "part": record.partition, "key": (record.key or b"none").decode(), "time": record.timestamp,
            "names": len(headers), "trace": (text if text is not None else b"none").decode()}


def assert_same(source, out, body="body"):
    """The rows in `out` are those of the committed records in `source`, in their order."""
    wanted = [row_of(record, body) for record in topics.read_committed(source)]
    found = [json.loads(record.value) for record in topics.read_committed(out)]
    found.sort(key=lambda row: (row["part"], row["at"]))
    if found != wanted:
        first = next((i for i, (a, b) in enumerate(zip(found, wanted)) if a != b), min(len(found), len(wanted)))
        raise AssertionError(f"{len(found)} rows, wanted {len(wanted)}; the first that differs is {first}: "
                             f"{str(found[first:first + 1])[:500]}, wanted {str(wanted[first:first + 1])[:500]}")
    return wanted


def records(count, partitions=1, seed=1, size_max=300):
    rng = random.Random(seed)
    made = []
    for i in range(count):
        body = "".join(rng.choices("abcdefgh \u00e4", k=rng.randrange(size_max)))
        headers = [("trace", b"t%d" % i), ("other", b""), ("trace", b"second")][:rng.randrange(4)]
        made.append(Record(value=json.dumps({"id": i, "body": body}).encode(), partition=i % partitions,
                           key=rng.choice([None, b"k%d" % (i % 7)]), headers=headers, timestamp=1735689600000 + i * 17))
    return made


def copy_and_compare(mine, folder, source, body="body"):
    out = mine.create("out-" + source, partitions=1)
    program = write_program(folder, source, out, body="body" if body == "body" else "len(body)")
    _, said = weir.run(*arguments(mine, folder, program))
    assert "librdkafka" not in said, said
    return assert_same(source, out, body)


def test_every_compression_of_the_producer():
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        with Topics() as mine, weir.scratch() as folder:
            source = mine.create("source", partitions=3)
            topics.produce(source, records(5000, partitions=3), **{"compression.type": codec})
            assert len(copy_and_compare(mine, folder, source)) == 5000, codec


def test_every_compression_of_the_broker():
    # It compresses again as Java does: snappy in blocks with a header.
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        with Topics() as mine, weir.scratch() as folder:
            source = mine.create("source", compression_type=codec)
            topics.produce(source, records(3000, seed=2, size_max=2000))
            assert len(copy_and_compare(mine, folder, source)) == 3000, codec


def test_aborted_records_of_overlapping_producers_are_hidden():
    with Topics() as mine, weir.scratch() as folder:
        source = mine.create("source", partitions=2)
        producers = [confluent_kafka.Producer({"bootstrap.servers": topics.brokers(), "linger.ms": 1,
                                               "transactional.id": mine.name(f"writer{i}")}) for i in range(3)]
        for producer in producers:
            producer.init_transactions(30)
        rng = random.Random(3)
        is_open, committed, i = [False] * 3, 0, 0
        pending = [0] * 3
        for step in range(240):
            who = rng.randrange(3)
            if not is_open[who]:
                producers[who].begin_transaction()
                is_open[who] = True
            for _ in range(rng.randrange(1, 20)):
                producers[who].produce(source, json.dumps({"id": i, "body": "x" * rng.randrange(50)}), partition=i % 2)
                i += 1
                pending[who] += 1
            producers[who].flush(30)
            if rng.random() < 0.4:
                if rng.random() < 0.5:
                    producers[who].commit_transaction(30)
                    committed += pending[who]
                else:
                    producers[who].abort_transaction(30)
                is_open[who], pending[who] = False, 0
        for who in range(3):
            if is_open[who]:
                producers[who].abort_transaction(30)
        wanted = copy_and_compare(mine, folder, source)
        assert len(wanted) == committed and 0 < committed < i, (len(wanted), committed, i)


def delete_records(topic, partition, offset):
    """Moves a partition's beginning, as retention does: DeleteRecords, version 1."""
    text = topic.encode()
    body = (struct.pack(">ih", 1, len(text)) + text + struct.pack(">iiq", 1, partition, offset) + struct.pack(">i", 20_000))
    request = struct.pack(">hhih", 21, 1, 1, -1) + body
    host, port = topics.brokers().split(",")[0].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        size = struct.unpack(">i", connection.recv(4, socket.MSG_WAITALL))[0]
        answer = connection.recv(size, socket.MSG_WAITALL)
    error = struct.unpack(">h", answer[-2:])[0]
    assert error == 0, f"DeleteRecords: error {error}"


def test_a_beginning_moved_by_retention():
    with Topics() as mine, weir.scratch() as folder:
        source = mine.create("source")
        topics.produce(source, records(4000, seed=4))
        delete_records(source, 0, 1234)
        out = mine.create("out")
        program = write_program(folder, source, out)
        weir.run(*arguments(mine, folder, program))
        found = [json.loads(record.value) for record in topics.read_committed(out)]
        assert [row["at"] for row in found] == list(range(1234, 4000))
        # What was to be read next is gone: that is said, and nothing jumps.
        topics.produce(source, records(2000, seed=5))
        delete_records(source, 0, 5000)
        _, said = weir.run(*arguments(mine, folder, program), expected_code=1)
        assert "out of range" in said and "4000" in said and source in said, said


def test_gaps_of_a_compacted_topic():
    with Topics() as mine, weir.scratch() as folder:
        source = mine.create("source", cleanup_policy="compact", segment_ms="200", min_cleanable_dirty_ratio="0.01",
                             max_compaction_lag_ms="300")
        made = [Record(value=json.dumps({"id": i, "body": "b" * (i % 50)}).encode(), key=b"k%d" % (i % 300 if i % 5 else i),
                       timestamp=0) for i in range(6000)]
        for begin in range(0, 6000, 1000):
            topics.produce(source, made[begin:begin + 1000])
            time.sleep(0.3)
        deadline = time.monotonic() + 90
        while len(topics.read_committed(source)) > 3000:
            assert time.monotonic() < deadline, "the broker has not compacted in 90 s"
            time.sleep(1)
            topics.produce(source, made[-1:])  # the active segment is never compacted: it rolls
        wanted = copy_and_compare(mine, folder, source)
        offsets = [row["at"] for row in wanted]
        assert any(b - a > 1 for a, b in zip(offsets, offsets[1:]))


def test_append_time_and_headers():
    with Topics() as mine, weir.scratch() as folder:
        source = mine.create("source", message_timestamp_type="LogAppendTime")
        topics.produce(source, records(500, seed=6))
        wanted = copy_and_compare(mine, folder, source)
        assert min(row["time"] for row in wanted) > 1735689600000 + 500 * 17  # not the producer's
        assert {row["names"] for row in wanted} == {0, 1, 2}


def test_sizes_from_nothing_to_large():
    with Topics() as mine, weir.scratch() as folder:
        source = mine.create("source", partitions=2, max_message_bytes="20000000")
        rng = random.Random(7)
        made = [Record(value=json.dumps({"id": i, "body": "x" * size}).encode(), partition=i % 2) for i, size in enumerate(
            [0, 1, 5_000_000, 0, 100, 12_000_000, 70_000] + [int(10 ** rng.uniform(0, 6.3)) for _ in range(60)])]
        topics.produce(source, made, **{"message.max.bytes": 20_000_000})
        assert len(copy_and_compare(mine, folder, source, body="size")) == len(made)


def test_records_without_a_value_are_put_aside():
    with Topics() as mine, weir.scratch() as folder:
        source, out, dead = mine.create("source"), mine.create("out"), mine.create("dead")
        topics.produce(source, [Record(value=b'{"id": 1, "body": ""}', key=b"a"),
                                Record(value=None, key=b"gone", headers=[("trace", b"why")]),
                                Record(value=b'{"id": 2, "body": ""}')])
        program = write_program(folder, source, out, more=f'  on_error = dead_letter("{dead}")\n')
        weir.run(*arguments(mine, folder, program))
        assert [json.loads(record.value)["id"] for record in topics.read_committed(out)] == [1, 2]
        aside = topics.read_committed(dead)
        assert len(aside) == 1 and aside[0].key == b"gone" and dict(aside[0].headers).get("trace") == b"why", aside


def test_a_choice_that_native_fetch_can_not_follow_is_named():
    with Topics() as mine, weir.scratch() as folder:
        source, out = mine.create("source"), mine.create("out")
        topics.produce(source, records(100))
        more = '  properties = { "socket.max.fails" = "3" }\n'
        program = write_program(folder, source, out, more=more)
        _, said = weir.run(*arguments(mine, folder, program), expected_code=3)
        assert "socket.max.fails" in said and "native" in said, said
        program.write_text(program.read_text().replace('  client = native\n', ""))
        _, said = weir.run(*arguments(mine, folder, program))
        assert "socket.max.fails" in said and "librdkafka" in said, said
        assert_same(source, out)
        program.write_text(program.read_text().replace("socket.max.fails", "fetch.wait.max.ms"))
        topics.produce(source, records(50))
        _, said = weir.run(*arguments(mine, folder, program))
        assert "librdkafka" not in said, said
        assert_same(source, out)


def test_a_broker_that_stops_and_one_that_restarts():
    with OwnBroker() as broker, Topics() as mine, weir.scratch() as folder:
        source, out = mine.create("source", partitions=2), mine.create("out")
        program = write_program(folder, source, out)
        made = records(9000, partitions=2, seed=8)
        with weir.Running(*arguments(mine, folder, program, until=None), log=folder / "log") as pipeline:
            def rows():
                return len(topics.read_uncommitted(out))
            topics.produce(source, made[:3000])
            pipeline.wait_until(lambda: rows() >= 3000, "the first 3000 rows")
            os.kill(broker.pid(), signal.SIGSTOP)
            time.sleep(4)
            os.kill(broker.pid(), signal.SIGCONT)
            topics.produce(source, made[3000:6000])
            pipeline.wait_until(lambda: rows() >= 6000, "rows behind the pause")
            broker.tool("down")
            time.sleep(1)
            broker.up()
            topics.produce(source, made[6000:])
            pipeline.wait_until(lambda: rows() >= 9000, "rows behind the restart", 90)
            assert pipeline.terminate() == 0, pipeline.said()
        assert len(assert_same(source, out)) == 9000


def test_leaders_that_move_when_brokers_are_killed():
    with OwnBroker(brokers=3) as cluster, Topics() as mine, weir.scratch() as folder:
        source, out = mine.create("source", partitions=3, replicas=3), mine.create("out", partitions=3, replicas=3)
        program = write_program(folder, source, out)
        made = records(9000, partitions=3, seed=9)

        def rows():
            return len(topics.read_uncommitted(out))

        def leaders():
            return [p.leader for p in mine.admin.list_topics(source, timeout=20).topics[source].partitions.values()]

        with weir.Running(*arguments(mine, folder, program, until=None), log=folder / "log") as pipeline:
            topics.produce(source, made[:3000])
            pipeline.wait_until(lambda: rows() >= 3000, "the first 3000 rows")
            for node, begin in ((2, 3000), (3, 6000)):  # node 1 is the controller, too
                before = leaders()
                os.kill(cluster.pid(node), signal.SIGKILL)
                topics.produce(source, made[begin:begin + 1500])
                assert node not in before or leaders() != before, before
                cluster.up()
                topics.produce(source, made[begin + 1500:begin + 3000])
                pipeline.wait_until(lambda: rows() >= begin + 3000, f"rows behind the end of broker {node}", 120)
            assert pipeline.terminate() == 0, pipeline.said()
        assert len(assert_same(source, out)) == 9000


if __name__ == "__main__":
    report.main(globals())
