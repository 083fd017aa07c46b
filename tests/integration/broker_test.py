#!/usr/bin/python3
"""The broker that all other integration tests rely on tells committed from aborted records."""

import confluent_kafka

from support import report, topics
from support.topics import Record, Topics


def test_records_keep_partition_key_headers_and_time():
    with Topics() as mine:
        topic = mine.create("plain", partitions=4)
        topics.produce(topic, [Record(value=b"%d" % i, key=b"k", partition=i % 4, headers=[("h", b"\x00\xff")],
                                      timestamp=1735689600000 + i) for i in range(100)])
        records = topics.read_committed(topic)
        assert [record.value for record in records if record.partition == 1] == [b"%d" % i for i in range(1, 100, 4)]
        assert {record.key for record in records} == {b"k"}
        assert {tuple(record.headers) for record in records} == {(("h", b"\x00\xff"),)}
        assert sum(record.timestamp for record in records) == 100 * 1735689600000 + sum(range(100))


def test_aborted_records_are_not_read_committed():
    with Topics() as mine:
        topic = mine.create("transactions", partitions=2)
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": topics.brokers(), "transactional.id": mine.name("writer")})
        producer.init_transactions(30)
        for tag, commits in ((b"a", True), (b"b", False), (b"c", True)):
            producer.begin_transaction()
            for i in range(50):
                producer.produce(topic, tag, partition=i % 2)
            producer.flush(30)
            if commits:
                producer.commit_transaction(30)
            else:
                producer.abort_transaction(30)
        committed = [record.value for record in topics.read_committed(topic)]
        assert committed.count(b"a") == 50 and committed.count(b"c") == 50 and len(committed) == 100, committed
        assert len(topics.read_uncommitted(topic)) == 150


def test_offsets_are_committed_with_the_transaction():
    with Topics() as mine:
        source, out = mine.create("in", partitions=1), mine.create("out", partitions=1)
        topics.produce(source, [Record(value=b"x")] * 10)
        group = mine.name("group")
        consumer = confluent_kafka.Consumer(
            {"bootstrap.servers": topics.brokers(), "group.id": group, "enable.auto.commit": False})
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": topics.brokers(), "transactional.id": mine.name("writer")})
        producer.init_transactions(30)
        for offset, commits in ((4, True), (9, False)):
            producer.begin_transaction()
            producer.produce(out, b"y", partition=0)
            producer.send_offsets_to_transaction(
                [confluent_kafka.TopicPartition(source, 0, offset)], consumer.consumer_group_metadata(), 30)
            if commits:
                producer.commit_transaction(30)
            else:
                producer.abort_transaction(30)
        consumer.close()
        assert topics.committed_offsets(group, source) == {0: 4}
        assert topics.end_offsets(source) == {0: 10}


if __name__ == "__main__":
    report.main(globals())
