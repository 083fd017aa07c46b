#!/usr/bin/python3
"""Bad records go to the dead letter with everything that came with them; a world that is not there is said clearly."""

import json

from support import report, rides, topics, weir
from support.topics import Record, Topics


def test_bad_records_are_dead_lettered_whole():
    with Topics() as mine, weir.scratch() as folder:
        source, counts, dead = mine.create("rides", partitions=2), mine.create("counts"), mine.create("dead")
        good = rides.events(1_000, partitions=2)
        bad = [Record(value=b"not json", key=b"k", partition=1, headers=[("trace", b"\x00\x01")]),
               Record(value=b'{"event_type":"start","ts":"soon"}', partition=0),
               Record(value=None, key=b"tombstone", partition=0),
               Record(value=b'{"event_type":"start","ts":1735689600000,"amount":"much"}', partition=1)]
        topics.produce(source, good[:500] + bad + good[500:])
        program = rides.program(folder / "rides.weir", source, counts, dead)
        weir.run("run", program, "--name", mine.name("p"), "--brokers", topics.brokers(), "--state", folder / "state",
                 "--until", "end")
        rides.assert_same(rides.rows(topics.read_committed(counts)), rides.expected(good))
        letters = topics.read_committed(dead)
        assert sorted((l.value, l.key) for l in letters if l.value is not None) == sorted(
            (b.value, b.key) for b in bad if b.value is not None)
        assert len(letters) == len(bad), letters
        for letter in letters:
            headers = dict(letter.headers)
            assert headers["weir.topic"].decode() == source, headers
            assert headers["weir.code"].startswith(b"W7"), headers
            assert int(headers["weir.partition"]) in (0, 1) and int(headers["weir.offset"]) >= 0, headers
            assert headers["weir.reason"], headers
        whole = next(l for l in letters if l.value == b"not json")
        assert dict(whole.headers)["trace"] == b"\x00\x01" and whole.key == b"k"


def test_on_error_fail_stops_at_the_record_and_commits_nothing_behind_it():
    with Topics() as mine, weir.scratch() as folder:
        source, counts = mine.create("rides"), mine.create("counts")
        topics.produce(source, rides.events(100, partitions=1) + [Record(value=b"[]")])
        program = rides.program(folder / "rides.weir", source, counts, "unused")
        program.write_text(program.read_text().replace('on_error   = dead_letter("unused")', "on_error = fail"))
        name = mine.name("p")
        _, said = weir.run("run", program, "--name", name, "--brokers", topics.brokers(), "--state", folder / "state",
                           "--until", "end", expected_code=65)
        assert source in said and "100" in said and "W7001" in said, said
        assert topics.committed_offsets(name, source).get(0, 0) <= 100


def test_a_missing_topic_is_named():
    with Topics() as mine, weir.scratch() as folder:
        counts = mine.create("counts")
        program = rides.program(folder / "rides.weir", mine.name("nowhere"), counts, counts)
        _, said = weir.run("run", program, "--brokers", topics.brokers(), "--state", folder / "state", "--until", "end",
                           expected_code=78)
        assert "nowhere" in said, said


def test_a_missing_broker_is_named():
    with weir.scratch() as folder:
        program = rides.program(folder / "rides.weir", "a", "b", "c")
        _, said = weir.run("run", program, "--brokers", "127.0.0.1:1", "--state", folder / "state", "--until", "end",
                           expected_code=69)
        assert "127.0.0.1:1" in said, said


def test_an_unknown_client_property_is_named():
    with Topics() as mine, weir.scratch() as folder:
        source, counts = mine.create("rides"), mine.create("counts")
        program = rides.program(folder / "rides.weir", source, counts, counts)
        program.write_text(program.read_text().replace("watermark  = 10m",
                                                       'watermark  = 10m\n  properties = { "fetch.wait.max.mss" = "5" }'))
        _, said = weir.run("run", program, "--brokers", topics.brokers(), "--state", folder / "state", "--until", "end",
                           expected_code=78)
        assert "fetch.wait.max.mss" in said, said


def test_meta_and_the_records_own_time():
    with Topics() as mine, weir.scratch() as folder:
        source, out = mine.create("in", partitions=2), mine.create("out")
        topics.produce(source, [Record(value=b'{"n":1}', key=b"k1", partition=0, timestamp=1735689600123,
                                       headers=[("h", b"v")]),
                                Record(value=b'{"n":2}', partition=1, timestamp=1735689660000)])
        program = folder / "meta.weir"
        program.write_text(f'''
record N {{ n: int32 }}
source s: N = kafka("{source}") {{ format = json, event_time = meta.timestamp, watermark = 1m }}
stream t = s | select {{ n, topic = meta.topic, part = meta.partition, at = meta.offset, when = meta.timestamp,
                        et = event_time(), key = meta.key, h = meta.headers["h"], none = meta.headers["g"] }}
sink t -> kafka("{out}") {{ format = json, emit = append }}
''')
        weir.run("run", program, "--name", mine.name("p"), "--brokers", topics.brokers(), "--state", folder / "state",
                 "--until", "end")
        found = sorted((json.loads(r.value) for r in topics.read_committed(out)), key=lambda row: row["n"])
        assert found[0]["topic"] == source and found[0]["part"] == 0 and found[0]["at"] == 0, found
        assert found[0]["when"] == 1735689600123 and found[1]["part"] == 1, found
        base64 = {name: found[0].get(name) for name in ("key", "h", "none")}
        assert base64 == {"key": "azE=", "h": "dg==", "none": None}, found
        assert found[1].get("key") is None and found[1].get("h") is None, found


if __name__ == "__main__":
    report.main(globals())
