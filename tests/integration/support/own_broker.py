"""A broker of one test alone, for what others would not like; topics and programs see it while it is there. Its Kafka is of the version
that all tests run on.

    with OwnBroker(secure=True) as broker, Topics() as mine:
        broker.listeners["SASL_SSL"], broker.tls
"""

import os
import pathlib
import random
import socket
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
TOOL, CLUSTERS = ROOT / "tools" / "kafka", ROOT / "build" / "kafka"

# First ports of clusters, with room for what else they listen on. Below those that a system gives to outgoing connections, which
# would take one in between; above those of `tools/kafka`'s own clusters.
PORTS = range(20000, 32000, 200)


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def version_of(address):
    """Of a broker that `tools/kafka` has started; nothing: of one that it has not."""
    port = address.split(",")[0].rsplit(":", 1)[1]
    return next((folder.name.rpartition("-")[0] for folder in CLUSTERS.glob(f"*-{port}")), None)


class OwnBroker:
    def __init__(self, brokers=1, secure=False):
        self.brokers = brokers
        self.secure = secure
        version = version_of(os.environ.get("WEIR_KAFKA", ":"))
        self.version = ["--version", version] if version else []
        self.port = next(port for port in random.sample(PORTS, len(PORTS)) if all(is_free(port + i) for i in range(PORTS.step)))

    def up(self):
        """Starts what does not run; returns the address of the plain listener."""
        said = self.tool("up", "--brokers", str(self.brokers), *(["--secure"] if self.secure else []))
        if not self.secure:
            return said
        self.listeners = dict(line.split(" ", 1) for line in said.splitlines())
        self.tls = pathlib.Path(self.listeners.pop("TLS"))
        return self.listeners["PLAINTEXT"]

    def tool(self, *words):
        return subprocess.run([TOOL, *words, *self.version, "--port", str(self.port)], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()

    def __enter__(self):
        self.before = os.environ["WEIR_KAFKA"]
        if self.brokers > 1:
            # The coordinators' topics have one replica: all on node 1, so that others may be killed.
            self.tool("up", "--brokers", str(self.brokers), "--node", "1", *(["--secure"] if self.secure else []))
        os.environ["WEIR_KAFKA"] = self.up()
        return self

    def __exit__(self, *_):
        os.environ["WEIR_KAFKA"] = self.before
        self.tool("down", "--wipe")

    def major(self):
        """Of its version, as its folder has it."""
        return int(next(CLUSTERS.glob(f"*-{self.port}")).name.split(".")[0])

    def pid(self, node=1):
        found = list(CLUSTERS.glob(f"*-{self.port}/{node}/pid"))
        return int(found[0].read_text())
