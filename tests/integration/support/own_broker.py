"""A broker of one test alone, for what others would not like; topics and programs see it while it is there.

    with OwnBroker(secure=True) as broker, Topics() as mine:
        broker.listeners["SASL_SSL"], broker.tls
"""

import os
import pathlib
import socket
import subprocess

TOOL = pathlib.Path(__file__).resolve().parents[3] / "tools" / "kafka"


class OwnBroker:
    def __init__(self, brokers=1, secure=False):
        self.brokers = brokers
        self.secure = secure
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        if self.port > 65000:
            self.port -= 1000  # other listeners are behind it

    def up(self):
        """Starts what does not run; returns the address of the plain listener."""
        said = self.tool("up", "--brokers", str(self.brokers), *(["--secure"] if self.secure else []))
        if not self.secure:
            return said
        self.listeners = dict(line.split(" ", 1) for line in said.splitlines())
        self.tls = pathlib.Path(self.listeners.pop("TLS"))
        return self.listeners["PLAINTEXT"]

    def tool(self, *words):
        return subprocess.run([TOOL, *words, "--port", str(self.port)], check=True, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL).stdout.strip()

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

    def pid(self, node=1):
        found = list((TOOL.parents[1] / "build" / "kafka").glob(f"*-{self.port}/{node}/pid"))
        return int(found[0].read_text())
