#!/usr/bin/python3
"""Native fetch through TLS and SASL: what is right is read exactly once, what is wrong is said and never read."""

import json
import pathlib
import time

import confluent_kafka

from support import report, rides, topics, weir
from support.own_broker import OwnBroker
from support.topics import Record, Topics

PASSWORD = "weir-secret"
PROGRAM = """
record R {{ id: int64 }}

source s: R = kafka("{source}") {{
  format = json
{client}  properties = {{ {properties} }}
}}

stream out = s | select {{ id = id }}

sink out -> kafka("{out}") {{ format = json }}
"""


def scram(mechanism):
    """`mechanism`, or PLAIN where librdkafka's SCRAM is not taken by Kafka 4 (confluentinc/librdkafka#4895)."""
    return "PLAIN" if world.broker.major() >= 4 and confluent_kafka.libversion()[1] < 0x02060100 else mechanism


def texts(properties):
    return ", ".join(f'"{name}" = "{value}"' for name, value in properties.items())


def sasl(mechanism, password=PASSWORD, protocol="sasl_plaintext", **more):
    return {"security.protocol": protocol, "sasl.mechanisms": mechanism, "sasl.username": "weir", "sasl.password": password,
            **more}


def tls(broker, protocol="ssl", ca="ca.pem", **more):
    return {"security.protocol": protocol, "ssl.ca.location": broker.tls / ca, **more}


class World:
    """One secure broker for all tests of this file, a topic with ten records."""

    def __enter__(self):
        self.broker = OwnBroker(secure=True).__enter__()
        self.topics = Topics().__enter__()
        self.source = self.topics.create("source")
        topics.produce(self.source, [Record(value=json.dumps({"id": i}).encode()) for i in range(10)])
        return self

    def __exit__(self, *failure):
        self.topics.__exit__(*failure)
        self.broker.__exit__(*failure)

    def copy(self, listener, properties, expected_code=0, client="native"):
        """What a pipeline says that copies the ten records through a listener; they are all there, once, or none is."""
        out = self.topics.create(f"out-{time.monotonic_ns()}")
        with weir.scratch() as folder:
            program = folder / "copy.weir"
            program.write_text(PROGRAM.format(source=self.source, out=out, properties=texts(properties),
                                              client=f"  client = {client}\n" if client else ""))
            said, errors = weir.run("run", program, "--name", out, "--state", folder / "state", "--until", "end",
                                    "--brokers", self.broker.listeners[listener], expected_code=expected_code)
            assert PASSWORD not in said + errors and "wrong-secret" not in said + errors, errors
            for file in (folder / "state").rglob("*"):
                assert not file.is_file() or PASSWORD.encode() not in file.read_bytes(), file
        found = sorted(json.loads(record.value)["id"] for record in topics.read_committed(out))
        assert found == ([] if expected_code else list(range(10))), (found, errors)
        return errors


world = World()


def test_tls():
    said = world.copy("SSL", tls(world.broker))
    assert "librdkafka" not in said, said
    pem = (world.broker.tls / "ca.pem").read_text().replace("\n", "\\n")
    world.copy("SSL", {"security.protocol": "SSL", "ssl.ca.pem": pem})
    # Whoever leaves the choice has native fetch as well.
    assert "librdkafka" not in world.copy("SSL", tls(world.broker), client=None)


def test_a_broker_that_can_not_be_trusted():
    said = world.copy("SSL", tls(world.broker, ca="stranger.pem"), expected_code=78)
    assert "certificate" in said and "ssl.ca.location" in said, said
    said = world.copy("ELSEWHERE", tls(world.broker), expected_code=78)
    assert "another host" in said and "ssl.endpoint.identification.algorithm" in said, said
    world.copy("ELSEWHERE", tls(world.broker, **{"ssl.endpoint.identification.algorithm": "none"}))
    world.copy("SSL", tls(world.broker, ca="stranger.pem", **{"enable.ssl.certificate.verification": "false"}))


def test_a_broker_that_wants_our_certificate():
    mine = {"ssl.certificate.location": world.broker.tls / "client.pem", "ssl.key.location": world.broker.tls / "client.key"}
    world.copy("MUTUAL", tls(world.broker, **mine, **{"ssl.key.password": "key-secret"}))
    said = world.copy("MUTUAL", tls(world.broker), expected_code=77)
    assert "certificate" in said, said
    said = world.copy("MUTUAL", tls(world.broker, **mine, **{"ssl.key.password": "wrong-secret"}), expected_code=78)
    assert "ssl.key.location" in said, said


def test_every_mechanism_with_and_without_tls():
    for mechanism in sorted({"PLAIN", scram("SCRAM-SHA-256"), scram("SCRAM-SHA-512")}):
        for listener, more in (("SASL_PLAINTEXT", {}), ("SASL_SSL", tls(world.broker, "sasl_ssl"))):
            said = world.copy(listener, {**sasl(mechanism), **more})
            assert "librdkafka" not in said, said
    token = {"sasl.mechanisms": "OAUTHBEARER", "enable.sasl.oauthbearer.unsecure.jwt": "true",
             "sasl.oauthbearer.config": "principal=weir"}
    world.copy("SASL_SSL", {**tls(world.broker, "sasl_ssl"), **token})


def test_a_wrong_password():
    for mechanism in ("PLAIN", "SCRAM-SHA-256"):
        said = world.copy("SASL_SSL", {**sasl(mechanism, "wrong-secret"), **tls(world.broker, "sasl_ssl")}, expected_code=77)
        assert "Authentication failed" in said, said
    # Kafka 4 says that of every password where the library is old.
    assert ("can't speak SCRAM" in said) == (confluent_kafka.libversion()[1] < 0x02060100), said


def test_what_native_fetch_does_not_follow_is_named():
    providers = {**sasl("PLAIN"), "ssl.providers": "default"}
    said = world.copy("SASL_PLAINTEXT", providers, expected_code=3)
    assert "ssl.providers" in said, said
    said = world.copy("SASL_PLAINTEXT", providers, client=None)
    assert "ssl.providers" in said and "librdkafka" in said, said


def test_the_sample_exactly_once_over_sasl_ssl_with_kills():
    with Topics() as mine, weir.scratch() as folder:
        source, counts, dead = mine.create("rides", partitions=4), mine.create("counts"), mine.create("dead")
        program = rides.program(folder / "ride.weir", source, counts, dead)
        properties = texts({**sasl(scram("SCRAM-SHA-512")), **tls(world.broker, "sasl_ssl")})
        program.write_text(program.read_text().replace(
            "  format     = json\n", f"  format     = json\n  client     = native\n  properties = {{ {properties} }}\n", 1))
        events = rides.events(20_000)
        arguments = ["run", program, "--name", mine.name("p"), "--state", folder / "state",
                     "--brokers", world.broker.listeners["SASL_SSL"]]
        for part in range(0, 20_000, 5000):
            with weir.Running(*arguments, log=folder / "log") as pipeline:
                before = sum(topics.committed_offsets(mine.name("p"), source).values())
                topics.produce(source, events[part:part + 5000])
                pipeline.wait_until(lambda: sum(topics.committed_offsets(mine.name("p"), source).values()) > before,
                                    "a commit")
                pipeline.kill()
        weir.run(*arguments, "--until", "end")
        rides.assert_same(rides.rows(topics.read_committed(counts)), rides.expected(events))


def test_connections_that_must_authenticate_again():
    with weir.scratch() as folder:
        out = world.topics.create("again")
        program = pathlib.Path(folder) / "copy.weir"
        source = world.topics.create("again-source")
        properties = texts({**sasl(scram("SCRAM-SHA-256")), **tls(world.broker, "sasl_ssl")})
        program.write_text(PROGRAM.format(source=source, out=out, properties=properties, client="  client = native\n"))
        with weir.Running("run", program, "--name", out, "--state", folder / "state", "--brokers",
                          world.broker.listeners["REAUTH"], log=folder / "log") as pipeline:
            # The broker lets a connection live for 4 s: ten of these go past it several times.
            for i in range(10):
                topics.produce(source, [Record(value=json.dumps({"id": i}).encode())])
                pipeline.wait_until(lambda: len(topics.read_uncommitted(out)) > i, f"record {i}")
                time.sleep(1.5)
            assert pipeline.terminate() == 0, pipeline.said()
        assert [json.loads(record.value)["id"] for record in topics.read_committed(out)] == list(range(10))


if __name__ == "__main__":
    with world:
        report.main(globals())
