#!/usr/bin/python3
"""Native fetch through a network that cuts, delays, falls silent, half closes and damages: every record once, or an end that says why."""

import json
import threading
import time

from support import report, topics, weir
from support.own_broker import OwnBroker
from support.proxy import Proxy
from support.topics import Record, Topics

PROGRAM = """
record R {{ id: int64, body: string }}

source s: R = kafka("{source}") {{
  format = json
  client = native
  properties = {{ {properties} }}
}}

stream out = s | select {{ id = id, size = len(body) }}

sink out -> kafka("{out}") {{ format = json }}
"""
# Nobody waits a minute for a connection that is silent.
QUICK = {"socket.timeout.ms": "3000"}


def records(begin, count):
    return [Record(value=json.dumps({"id": i, "body": "x" * (i * 37 % 3000)}).encode(), partition=i % 3)
            for i in range(begin, begin + count)]


broker = OwnBroker(secure=True)


class Setting:
    """A proxy in front of one of the broker's listeners, and a program that copies through it."""

    def __init__(self, listener="PROXIED"):
        self.listener = listener

    def __enter__(self):
        self.topics = Topics().__enter__()
        self.scratch = weir.scratch()
        self.folder = self.scratch.__enter__()
        self.address = broker.listeners[self.listener]
        port = int(self.address.rsplit(":", 1)[1])
        self.proxy = Proxy(port, port - 10).__enter__()
        self.source, self.out = self.topics.create("source", partitions=3), self.topics.create("out")
        properties = dict(QUICK)
        if self.listener.endswith("SSL"):
            properties.update({"security.protocol": "ssl", "ssl.ca.location": broker.tls / "ca.pem"})
        self.program = self.folder / "copy.weir"
        self.program.write_text(PROGRAM.format(source=self.source, out=self.out, properties=", ".join(
            f'"{name}" = "{value}"' for name, value in properties.items())))
        return self

    def __exit__(self, *failure):
        self.proxy.__exit__(*failure)
        self.scratch.__exit__(*failure)
        self.topics.__exit__(*failure)

    def arguments(self, *more):
        return ["run", self.program, "--name", self.out, "--state", self.folder / "state", "--brokers", self.address, *more]

    def running(self):
        return weir.Running(*self.arguments(), log=self.folder / "log")

    def rows(self):
        return sum(topics.end_offsets(self.out).values())  # with markers: only whether it grows

    def assert_all(self, count):
        found = sorted(json.loads(record.value)["id"] for record in topics.read_committed(self.out))
        assert found == list(range(count)), (len(found), len(set(found)), count)

    def finish(self, count):
        """Once more with a network that works: everything is there, once."""
        self.proxy.delay, self.proxy.corrupt, self.proxy.refuses = 0, 0, False
        weir.run(*self.arguments("--until", "end"))
        self.assert_all(count)


def run_under(setting, trouble, count=20_000, step=1000):
    """Produces while `trouble` goes on; a pipeline that ends with a code that says `restart me` is started again."""
    pace = threading.Thread(target=lambda: [
        (topics.produce(setting.source, records(begin, step)), time.sleep(0.3)) for begin in range(0, count, step)])
    pace.start()
    ends = []
    while pace.is_alive():
        with setting.running() as pipeline:
            while pace.is_alive() and pipeline.process.poll() is None:
                trouble()
            if pipeline.process.poll() is None:
                code = pipeline.terminate(90)
            else:
                code = pipeline.process.returncode
            ends.append((code, pipeline.said()[-500:]))
    pace.join()
    return ends


def assert_survives(ends):
    """It went on through most of it; where it ended, it was to be started again."""
    assert all(code in (0, 69, 75) for code, _ in ends) and len(ends) <= 4, ends


def test_connections_that_are_cut():
    with Setting() as setting:
        def trouble():
            time.sleep(0.7)
            setting.proxy.cut()
        ends = run_under(setting, trouble)
        assert_survives(ends)
        assert setting.proxy.accepted > 10
        setting.finish(20_000)


def test_connections_that_fall_silent_or_half_close():
    with Setting() as setting:
        turns = iter([setting.proxy.silence, setting.proxy.half_close] * 1000)

        def trouble():
            time.sleep(1.5)
            next(turns)()
        ends = run_under(setting, trouble)
        assert_survives(ends)
        setting.finish(20_000)


def test_a_slow_network_through_tls_that_is_cut():
    with Setting("PROXIED_SSL") as setting:
        setting.proxy.delay = 0.02

        def trouble():
            time.sleep(2)
            setting.proxy.cut()
        ends = run_under(setting, trouble, count=15_000)
        assert_survives(ends)
        setting.finish(15_000)


def test_damaged_bytes_are_never_taken_for_data():
    # Through TLS, where every byte counts; without it only what a batch's checksum covers could be promised.
    with Setting("PROXIED_SSL") as setting:
        topics.produce(setting.source, records(0, 20_000))
        damaged = 0
        for _ in range(4):
            setting.proxy.corrupt = 0.02
            with setting.running() as pipeline:
                deadline = time.monotonic() + 5
                while pipeline.process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.05)
                if pipeline.process.poll() is None:
                    setting.proxy.corrupt = 0
                    pipeline.terminate(90)
                # Whatever end: no crash by a signal, no bug.
                code = pipeline.process.returncode
                assert code >= 0 and code != 70, (code, pipeline.said())
            damaged += setting.proxy.corrupted
        assert damaged > 10, damaged
        setting.finish(20_000)


if __name__ == "__main__":
    with broker:
        report.main(globals())
