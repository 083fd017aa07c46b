#!/usr/bin/python3
"""Native fetch from a cluster of three: followers that are nearer, and a log that was cut by an unclean election."""

import json
import os
import signal
import time

from confluent_kafka import KafkaException
from confluent_kafka.admin import NewTopic

from support import report, topics, weir
from support.own_broker import OwnBroker
from support.proxy import Proxy
from support.topics import Record, Topics

PROGRAM = """
record R {{ id: int64, body: string }}

source s: R = kafka("{source}") {{
  format = json
  client = native
  properties = {{ "client.id" = "weir"{properties} }}
}}

stream out = s | select {{ id = id, size = len(body) }}

sink out -> kafka("{out}") {{ format = json }}
"""


def create_on(mine, stem, nodes, **config):
    """A topic of one partition with its replicas on those nodes; the first leads."""
    name = mine.name(stem)
    topic = NewTopic(name, 1, replica_assignment=[nodes], config={k.replace("_", "."): v for k, v in config.items()})
    mine.admin.create_topics([topic], operation_timeout=30)[name].result()
    mine.created.append(name)
    wait_until(lambda: leader_of(mine, name) == nodes[0], f"node {nodes[0]} leads `{name}`")
    return name


def partition_of(mine, topic):
    return mine.admin.list_topics(topic, timeout=5).topics[topic].partitions.get(0)


def leader_of(mine, topic):
    found = partition_of(mine, topic)
    return found.leader if found else -1


def wait_until(condition, what, timeout=60):
    deadline = time.monotonic() + timeout
    while not holds(condition):
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.1)


def holds(condition):
    """While brokers die, a question may get no answer."""
    try:
        return condition()
    except KafkaException:
        return False


def records(begin, count, size=1000):
    return [Record(value=json.dumps({"id": i, "body": "x" * size}).encode()) for i in range(begin, begin + count)]


def ids(topic):
    return [json.loads(record.value)["id"] for record in topics.read_committed(topic)]


def write_program(folder, source, out, properties=""):
    path = folder / "copy.weir"
    path.write_text(PROGRAM.format(source=source, out=out, properties=properties))
    return path


def test_a_follower_in_the_same_rack_is_read_from():
    with OwnBroker(brokers=3, secure=True) as cluster, Topics() as mine, weir.scratch() as folder:
        source, out = create_on(mine, "source", [1, 2]), create_on(mine, "out", [1])
        wait_until(lambda: len(partition_of(mine, source).isrs) == 2, "both replicas are in sync")
        first = cluster.port + 170
        proxies = {node: Proxy(first + node - 1, first + node - 1 - 10).__enter__() for node in (1, 2, 3)}
        try:
            topics.produce(source, records(0, 5000, size=4000))
            for rack, near, far in ((", \"client.rack\" = \"rack2\"", 2, 1), ("", 1, 2)):
                before = {node: proxy.carried for node, proxy in proxies.items()}
                program = write_program(folder, source, out, rack)
                name = mine.name("p" + str(near))
                weir.run("run", program, "--name", name, "--state", folder / name, "--until", "end", "--brokers",
                         cluster.listeners["PROXIED"])
                carried = {node: proxy.carried - before[node] for node, proxy in proxies.items()}
                assert carried[near] > 10_000_000, (rack, carried)
                assert carried[far] < 5_000_000, (rack, carried)
            assert ids(out) == 2 * list(range(5000))
        finally:
            for proxy in proxies.values():
                proxy.__exit__(None, None, None)


def test_a_log_that_was_cut_by_an_unclean_election_is_reported():
    with OwnBroker(brokers=3) as cluster, Topics() as mine, weir.scratch() as folder:
        source = create_on(mine, "source", [2, 3], unclean_leader_election_enable="true", min_insync_replicas="1")
        out = create_on(mine, "out", [1])
        program = write_program(folder, source, out)
        topics.produce(source, records(0, 1000))
        with weir.Running("run", program, "--name", mine.name("p"), "--state", folder / "state", "--brokers",
                          os.environ["WEIR_KAFKA"], log=folder / "log") as pipeline:
            pipeline.wait_until(lambda: len(topics.read_uncommitted(out)) >= 1000, "the first rows")
            wait_until(lambda: len(partition_of(mine, source).isrs) == 2, "both replicas are in sync")
            os.kill(cluster.pid(3), signal.SIGKILL)
            wait_until(lambda: partition_of(mine, source).isrs == [2], "node 3 is out of sync")
            topics.produce(source, records(1000, 500))
            pipeline.wait_until(lambda: len(topics.read_uncommitted(out)) >= 1500, "rows that only node 2 has")
            os.kill(cluster.pid(2), signal.SIGKILL)
            cluster.tool("up", "--brokers", "3", "--node", "3")
            wait_until(lambda: leader_of(mine, source) == 3, "node 3 leads, with less than node 2 had", 90)
            code = pipeline.wait(120)
            said = pipeline.said()
        assert code == 1, (code, said)
        assert "the log was cut" in said and "offset 1500" in said and "now ends at 1000" in said, said
        assert ids(out) == list(range(1500))


if __name__ == "__main__":
    report.main(globals())
