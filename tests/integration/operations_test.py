#!/usr/bin/python3
"""What an operator sees and does: metrics, progress, several connectors, a binary instead of `weir run`."""

import json
import signal
import socket
import subprocess
import time
import urllib.request

from support import report, rides, topics, weir
from support.topics import Record, Topics


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def scrape(port):
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    values = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            values[name] = float(value)
    return text, values


def test_metrics_count_what_went_through():
    with Topics() as mine, weir.scratch() as folder:
        source, counts, dead = mine.create("rides", partitions=4), mine.create("counts"), mine.create("dead")
        records = rides.events(5_000)
        topics.produce(source, records + [Record(value=b"broken")])
        port = free_port()
        program = rides.program(folder / "rides.weir", source, counts, dead)
        with weir.Running("run", program, "--name", mine.name("p"), "--brokers", topics.brokers(), "--state",
                          folder / "state", "--metrics", f"127.0.0.1:{port}", log=folder / "log") as pipeline:
            def all_in():
                try:
                    _, values = scrape(port)
                except OSError:
                    return False
                return any(name.startswith("weir_records_in_total") and value == 5_001 for name, value in values.items())
            pipeline.wait_until(all_in, "5001 rows in the metrics")
            time.sleep(1.5)
            text, values = scrape(port)
            assert urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).status == 200
            assert pipeline.terminate() == 0, pipeline.said()
        for wanted in ("weir_records_out_total", "weir_bytes_in_total", "weir_records_late_total", "weir_consumer_lag_records",
                       "weir_watermark", "weir_transaction_duration_seconds", "weir_record_latency_seconds", "weir_state_bytes"):
            assert wanted in text, f"{wanted} is not in\n{text}"
        assert [v for n, v in values.items() if "dlq" in n or "dead" in n or "malformed" in n] and 'malformed' in text, text
        assert "# TYPE" in text and "# HELP" in text


def test_a_binary_gives_what_weir_run_gives():
    with Topics() as mine, weir.scratch() as folder:
        source, counts, dead = mine.create("rides", partitions=4), mine.create("counts"), mine.create("dead")
        records = rides.events(20_000)
        topics.produce(source, records)
        program = rides.program(folder / "rides.weir", source, counts, dead)
        weir.run("build", program, "-o", folder / "rides", env={"PATH": "/nonexistent"})
        weir.run("--name", mine.name("p"), "--brokers", topics.brokers(), "--state", folder / "state", "--until", "end",
                 command=folder / "rides")
        rides.assert_same(rides.rows(topics.read_committed(counts)), rides.expected(records))


FILES = '''
record R {{ k: string, n: int32 }}
source s: R = file("{source}") {{ format = json }}
stream t = s | where n % 2 == 0 | select {{ k, n }}
sink t -> file("{target}") {{ format = json }}
'''


def test_file_to_file_survives_kills_without_loss_or_repetition():
    with weir.scratch() as folder:
        (folder / "in.jsonl").write_text("".join(f'{{"k":"k{i % 7}","n":{i}}}\n' for i in range(300_000)))
        program = folder / "files.weir"
        program.write_text(FILES.format(source=folder / "in.jsonl", target=folder / "out.jsonl"))
        arguments = ["run", program, "--until", "end", "--state", folder / "state", "--epoch-rows", "5000"]
        for point in ("C7:kill:3", "C8:kill:5", "C9:kill:7"):
            done = subprocess.run([str(weir.WEIR), *map(str, arguments)], env={"WEIR_FAILPOINT": point}, capture_output=True)
            assert done.returncode == -9, (point, done.returncode, done.stderr)
        weir.run(*arguments)
        found = [json.loads(line)["n"] for line in (folder / "out.jsonl").read_text().splitlines()]
        assert found == list(range(0, 300_000, 2)), f"{len(found)} rows"


def test_stdin_to_stdout():
    with weir.scratch() as folder:
        program = folder / "pipe.weir"
        program.write_text('''
record R { n: int32 }
source s: R = stdin() { format = json, on_error = skip }
stream t = s | where n > 1 | select { n, square = n * n }
sink t -> stdout() {}
''')
        done = subprocess.run([str(weir.WEIR), "run", str(program), "-q", "--state", str(folder / "state")],
                              input=b'{"n":1}\n{"n":2}\nnonsense\n{"n":3}', capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [b'{"n":2,"square":4}', b'{"n":3,"square":9}'], done.stdout


def test_a_partition_that_appears_later_is_read_from_its_beginning():
    with Topics() as mine, weir.scratch() as folder:
        source, counts, dead = mine.create("rides", partitions=2), mine.create("counts"), mine.create("dead")
        records = rides.events(4_000, partitions=2)
        topics.produce(source, records)
        name = mine.name("p")
        program = rides.program(folder / "rides.weir", source, counts, dead)
        program.write_text(program.read_text().replace(
            "watermark  = 10m", 'watermark  = 10m\n  properties = { "topic.metadata.refresh.interval.ms" = "500" }'))
        arguments = ["run", program, "--name", name, "--brokers", topics.brokers(), "--state", folder / "state"]
        later = [Record(value=r.value, key=r.key, partition=2) for r in rides.events(500, partitions=1, seed=7)]

        def committed():
            return sum(topics.committed_offsets(name, source).values())

        with weir.Running(*arguments, log=folder / "log") as pipeline:
            pipeline.wait_until(lambda: committed() == 4_000, "4000 records committed")
            mine.grow(source, 3)
            topics.produce(source, later)
            pipeline.wait_until(lambda: committed() == 4_500, "the new partition's records committed")
            assert pipeline.terminate() == 0, pipeline.said()
        weir.run(*arguments, "--until", "end")
        rides.assert_same(rides.rows(topics.read_committed(counts)), rides.expected(records + later))


def test_a_second_sigterm_aborts_at_once():
    with Topics() as mine, weir.scratch() as folder:
        source, counts, dead = mine.create("rides", partitions=2), mine.create("counts"), mine.create("dead")
        records = rides.events(4_000, partitions=2)
        topics.produce(source, records)
        program = rides.program(folder / "rides.weir", source, counts, dead)
        arguments = ["run", program, "--name", mine.name("p"), "--brokers", topics.brokers(), "--state", folder / "state"]
        # A commit hangs for a minute: the first signal waits for it, the second does not.
        with weir.Running(*arguments, log=folder / "log", env={"WEIR_FAILPOINT": "C7:hang:2"}) as pipeline:
            pipeline.wait_for("4000 in")
            pipeline.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert pipeline.process.poll() is None, pipeline.said()
            pipeline.process.send_signal(signal.SIGTERM)
            assert pipeline.process.wait(10) != 0, pipeline.said()
        weir.run(*arguments, "--until", "end")
        rides.assert_same(rides.rows(topics.read_committed(counts)), rides.expected(records))


def test_usage_errors_name_the_right_option():
    for arguments, word in ((["run"], "FILE"), (["run", "nowhere.weir"], "nowhere.weir"), (["frobnicate"], "frobnicate")):
        _, said = weir.run(*arguments, expected_code=2)
        assert word in said, said
    sample = weir.ROOT / "samples" / "ride_events" / "pipeline.weir"
    _, said = weir.run("run", sample, "--until", "tomorrow", expected_code=2)
    assert "end" in said and "now" in said, said
    _, said = weir.run("run", sample, "--dev", "--memory", "lots", expected_code=2)
    assert "--memory" in said, said


if __name__ == "__main__":
    report.main(globals())
