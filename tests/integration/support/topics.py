"""Topics of a real broker, written and read by a client that shares no code with Weir's.

    with Topics() as topics:
        rides = topics.create("rides", partitions=4)
        produce(rides, [Record(value=b"{}", key=b"a", partition=0)])
        rows = read_committed("counts")

The broker's address is in WEIR_KAFKA; tools/test sets it. By hand:

    WEIR_KAFKA=$(tools/kafka up) tests/integration/x_test.py
"""

import dataclasses
import os
import sys
import time
import uuid

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic


def brokers():
    address = os.environ.get("WEIR_KAFKA")
    if not address:
        sys.exit("WEIR_KAFKA is not set; start a broker and say where: WEIR_KAFKA=$(tools/kafka up) " + sys.argv[0])
    return address


@dataclasses.dataclass
class Record:
    """One record, to be written or as read. `timestamp` is in epoch milliseconds."""

    value: bytes = b""
    key: bytes = None
    partition: int = 0
    headers: list = dataclasses.field(default_factory=list)  # (name, bytes)
    timestamp: int = 0  # 0: now
    topic: str = None
    offset: int = None


class Topics:
    """Topics with names that no other test has; deleted at the end, whatever happened."""

    def __init__(self):
        self.admin = AdminClient({"bootstrap.servers": brokers(), "log_level": 0})
        self.suffix = uuid.uuid4().hex[:8]
        self.created = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.created:
            for future in self.admin.delete_topics(self.created, operation_timeout=30).values():
                try:
                    future.result()
                except KafkaException:
                    pass  # a test may have deleted it itself

    def name(self, stem):
        """A name for a topic that the program under test makes itself, or for a pipeline."""
        return f"{stem}-{self.suffix}"

    def create(self, stem, partitions=1, replicas=1, **config):
        """Makes `<stem>-<suffix>` and waits until it has leaders. `config` as in cleanup_policy="compact"."""
        name = self.name(stem)
        topic = NewTopic(name, partitions, replicas, config={key.replace("_", "."): value for key, value in config.items()})
        self.admin.create_topics([topic], operation_timeout=30)[name].result()
        self.created.append(name)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = self.admin.list_topics(timeout=5).topics.get(name)
            if found and len(found.partitions) == partitions and all(p.leader > 0 for p in found.partitions.values()):
                return name
            time.sleep(0.05)
        raise RuntimeError(f"topic {name} has no leaders after 20 s")


    def grow(self, topic, partitions):
        """Adds partitions, and waits until they have leaders."""
        self.admin.create_partitions([NewPartitions(topic, partitions)], operation_timeout=30)[topic].result()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = self.admin.list_topics(timeout=5).topics[topic].partitions
            if len(found) == partitions and all(p.leader > 0 for p in found.values()):
                return
            time.sleep(0.05)
        raise RuntimeError(f"{topic}: not {partitions} leaders after 20 s")


def produce(topic, records, **config):
    """Writes records, each to its own partition, and returns when the broker has all of them."""
    failures = []

    def delivered(error, _):
        if error is not None:
            failures.append(error)

    producer = Producer({"bootstrap.servers": brokers(), "acks": "all", "linger.ms": 20,
                         "queue.buffering.max.messages": 1000000, **config})
    for record in records:
        while True:
            try:
                producer.produce(topic, value=record.value, key=record.key, partition=record.partition,
                                 headers=record.headers, timestamp=record.timestamp, on_delivery=delivered)
                break
            except BufferError:  # the queue is full: let it drain
                producer.poll(0.1)
        producer.poll(0)
    if producer.flush(60) or failures:
        raise RuntimeError(f"{topic}: not everything was delivered: {failures[:3]}")


def read_committed(topic, timeout=60):
    """Every record of committed transactions that is in the topic now, by partition and offset."""
    wait_for_markers(topic)
    return read(topic, "read_committed", timeout)


def wait_for_markers(topic, timeout=5):
    """A commit is answered before the partitions have its markers: waits until no transaction is open, but not for ever."""
    deadline = time.monotonic() + timeout
    while end_offsets(topic, "read_committed") != end_offsets(topic) and time.monotonic() < deadline:
        time.sleep(0.05)


def read_uncommitted(topic, timeout=60):
    """Everything, also what was aborted or is still open."""
    return read(topic, "read_uncommitted", timeout)


def read(topic, isolation, timeout):
    # No group: positions are assigned, nothing is stored. The end of a partition is what `isolation` may see.
    consumer = Consumer({"bootstrap.servers": brokers(), "group.id": "nobody-" + uuid.uuid4().hex[:8],
                         "isolation.level": isolation, "enable.auto.commit": False, "enable.partition.eof": True,
                         "auto.offset.reset": "error", "check.crcs": True})
    records = []
    try:
        metadata = consumer.list_topics(topic, timeout=20).topics[topic]
        if metadata.error is not None:
            raise RuntimeError(f"{topic}: {metadata.error.str()}")
        open_partitions = set(metadata.partitions)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in open_partitions])
        deadline = time.monotonic() + timeout
        while open_partitions:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{topic}: partitions {sorted(open_partitions)} not read to the end in {timeout} s; "
                                   "is a transaction still open?")
            message = consumer.poll(0.2)
            if message is None:
                continue
            if message.error() is None:
                records.append(Record(value=message.value(), key=message.key(), partition=message.partition(),
                                      headers=message.headers() or [], timestamp=message.timestamp()[1],
                                      topic=topic, offset=message.offset()))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                open_partitions.discard(message.partition())
            else:
                raise RuntimeError(f"{topic}: {message.error().str()}")
    finally:
        consumer.close()
    return sorted(records, key=lambda record: (record.partition, record.offset))


def committed_offsets(group, topic):
    """What the group has committed: {partition: next offset}; partitions without a commit are left out."""
    consumer = Consumer({"bootstrap.servers": brokers(), "group.id": group, "enable.auto.commit": False})
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        answers = consumer.committed([TopicPartition(topic, partition) for partition in partitions], timeout=30)
        return {answer.partition: answer.offset for answer in answers if answer.offset >= 0}
    finally:
        consumer.close()


def end_offsets(topic, isolation="read_uncommitted"):
    """{partition: the offset that the next record will get}, transaction markers counted as the broker does."""
    return {partition: ends[1] for partition, ends in offsets(topic, isolation).items()}


def begin_offsets(topic):
    """{partition: the first offset that is still there}."""
    return {partition: ends[0] for partition, ends in offsets(topic, "read_uncommitted").items()}


def offsets(topic, isolation):
    """{partition: (first offset, end)}."""
    consumer = Consumer({"bootstrap.servers": brokers(), "group.id": "nobody", "enable.auto.commit": False,
                         "isolation.level": isolation})
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        return {partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)
                for partition in partitions}
    finally:
        consumer.close()


def move_committed(group, topic, partition, offset, timeout=60):
    """Sets a group's committed offset, as an operator's tool would: when nobody is in the group any more."""
    deadline = time.monotonic() + timeout
    while True:
        consumer = Consumer({"bootstrap.servers": brokers(), "group.id": group, "enable.auto.commit": False})
        try:
            consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
            return
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        finally:
            consumer.close()
