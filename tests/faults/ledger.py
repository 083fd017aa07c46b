"""The workload of the fault tests and its verifier: a ledger, whose balances always add up to nothing.

A transfer is two entries, one that takes and one that gives. The pipeline copies each entry to one topic, by which
loss and repetition are counted entry by entry, and keeps a running balance of each account, by which its state is
judged. What is right is computed here from what was produced; what is there is read by a client that shares no code
with Weir's, committed records only.
"""

import collections
import json
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from support import topics

PARTITIONS = 3
ACCOUNTS = 500

PROGRAM = """
record Entry {{ id: int64, account: string, amount: int64, ts: timestamp(ms) }}

source entries: Entry = kafka("{entries}") {{
  format     = json
  event_time = ts
  properties = {{ "session.timeout.ms" = "6000" }}
}}

stream copies = entries | where amount != 0 | select {{ id, account, amount }}
stream balances = entries | group by account {{ n = count(), total = sum(amount) }}

sink copies -> kafka("{copies}") {{ format = json }}
sink balances -> kafka("{balances}") {{ key = account, format = json, emit = update every 500ms }}
"""


class Ledger:
    """Topics, a program, and a load that goes on beside whatever is done to the pipeline."""

    def __init__(self, mine, folder, seed):
        self.entries = mine.create("entries", partitions=PARTITIONS)
        self.copies = mine.create("copies", partitions=PARTITIONS)
        self.balances = mine.create("balances", partitions=2)
        self.name = mine.name("ledger")
        self.program = folder / "ledger.weir"
        self.program.write_text(PROGRAM.format(entries=self.entries, copies=self.copies, balances=self.balances))
        self.random = random.Random(seed)
        self.produced = []  # (id, account, amount)
        self.stopping = threading.Event()
        self.failures = []
        self.thread = threading.Thread(target=self.load)
        self.watcher = Consumer({"bootstrap.servers": topics.brokers(), "group.id": self.name, "enable.auto.commit": False,
                                 "log_level": 0})

    # ---------------------------------------------------------------- the load

    def start(self):
        self.thread.start()

    def stop(self):
        """Ends the load; everything that was produced is in the topic then, once."""
        self.stopping.set()
        self.thread.join()
        if self.failures:
            raise RuntimeError(f"the load itself failed: {self.failures[:3]}")

    def load(self, rate=2000):
        # Idempotent, and as patient as a broker takes to come back: what is produced is there once.
        producer = Producer({"bootstrap.servers": topics.brokers(), "enable.idempotence": True, "linger.ms": 5,
                             "message.timeout.ms": 300_000, "log_level": 0})

        def delivered(error, _):
            if error is not None:
                self.failures.append(str(error))

        began = time.monotonic()
        while not self.stopping.is_set():
            while len(self.produced) < (time.monotonic() - began) * rate:
                amount = self.random.randrange(1, 1000)
                for sign in (-1, 1):
                    entry = (len(self.produced), f"account-{self.random.randrange(ACCOUNTS)}", sign * amount)
                    self.produced.append(entry)
                    value = {"id": entry[0], "account": entry[1], "amount": entry[2], "ts": int(time.time() * 1000)}
                    producer.produce(self.entries, value=json.dumps(value).encode(), partition=self.random.randrange(PARTITIONS),
                                     on_delivery=delivered)
            producer.poll(0)
            time.sleep(0.01)
        if producer.flush(120) > 0:
            self.failures.append("not everything was delivered")

    # ---------------------------------------------------------------- watching

    def committed(self):
        """Records that the pipeline's group has committed, of all partitions; what is known now if nobody answers."""
        try:
            answers = self.watcher.committed([TopicPartition(self.entries, p) for p in range(PARTITIONS)], timeout=2)
        except KafkaException:
            return -1
        return sum(max(answer.offset, 0) for answer in answers)

    # ---------------------------------------------------------------- judging

    def verify(self):
        """(lost, duplicated, what else is wrong)."""
        found = collections.Counter(json.loads(record.value)["id"] for record in topics.read_committed(self.copies))
        lost = sum(1 for entry in self.produced if found[entry[0]] == 0)
        duplicated = sum(count - 1 for count in found.values())
        wrong = []
        wanted = {}
        for _, account, amount in self.produced:
            n, total = wanted.get(account, (0, 0))
            wanted[account] = n + 1, total + amount
        last = {}
        for record in topics.read_committed(self.balances):
            row = json.loads(record.value)
            before = last.get(row["account"], (0, 0))
            if row["n"] < before[0]:
                wrong.append(f"{row['account']} went back from {before[0]} entries to {row['n']}")
            last[row["account"]] = row["n"], row["total"]
        differing = [account for account in wanted.keys() | last.keys() if wanted.get(account) != last.get(account)]
        if differing:
            account = differing[0]
            wrong.append(f"{len(differing)} balances, as {account}: {last.get(account)}, not {wanted.get(account)}")
        if sum(total for _, total in last.values()) != 0:
            wrong.append("the balances do not add up to nothing")
        ends, offsets = topics.end_offsets(self.entries), topics.committed_offsets(self.name, self.entries)
        if ends != offsets:
            wrong.append(f"committed {offsets} of {ends}")
        return lost, duplicated, wrong
