"""A TCP proxy in front of a broker's listener that does to connections what networks do.

    with Proxy(listen_port, broker_port) as proxy:
        proxy.cut()                     # every connection, now
        proxy.delay = 0.2               # seconds that each piece waits
        proxy.silence()                 # connections stay and carry nothing more; new ones work
        proxy.corrupt = 0.001           # share of the pieces from the broker in which a bit flips
        proxy.half_close()              # the broker's side is shut down, ours is still written to
        proxy.refuses = True            # new connections are closed at once
"""

import random
import select
import socket
import threading
import time


class Connection:
    def __init__(self, client, broker):
        self.client, self.broker = client, broker
        self.silent = False

    def close(self):
        for one in (self.client, self.broker):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Proxy:
    def __init__(self, listen_port, broker_port, seed=1):
        self.broker_port = broker_port
        self.delay, self.corrupt, self.refuses = 0, 0, False
        self.accepted = self.corrupted = self.carried = 0  # connections; pieces damaged; bytes from the broker
        self.random = random.Random(seed)
        self.connections = []
        self.stopped = False
        self.listener = socket.create_server(("127.0.0.1", listen_port))
        self.thread = threading.Thread(target=self.listen, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped = True
        self.thread.join()
        self.listener.close()
        self.cut()

    def listen(self):
        while not self.stopped:
            if not select.select([self.listener], [], [], 0.05)[0]:
                continue
            client, _ = self.listener.accept()
            if self.refuses:
                client.close()
                continue
            try:
                broker = socket.create_connection(("127.0.0.1", self.broker_port))
            except OSError:
                client.close()
                continue
            self.accepted += 1
            connection = Connection(client, broker)
            self.connections.append(connection)
            for source, target in ((client, broker), (broker, client)):
                threading.Thread(target=self.carry, args=(connection, source, target), daemon=True).start()

    def carry(self, connection, source, target):
        try:
            while piece := source.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                if connection.silent:
                    continue
                if source is connection.broker and self.corrupt and self.random.random() < self.corrupt:
                    at = self.random.randrange(len(piece))
                    piece = piece[:at] + bytes([piece[at] ^ 1 << self.random.randrange(8)]) + piece[at + 1:]
                    self.corrupted += 1
                target.sendall(piece)
                if source is connection.broker:
                    self.carried += len(piece)
        except OSError:
            pass
        if not connection.silent:
            connection.close()

    def taken(self):
        taken, self.connections = self.connections, []
        return taken

    def cut(self):
        for connection in self.taken():
            connection.close()

    def silence(self):
        for connection in self.taken():
            connection.silent = True

    def half_close(self):
        for connection in self.taken():
            try:
                connection.client.shutdown(socket.SHUT_WR)
            except OSError:
                pass
