"""What is done to a pipeline. Each scenario gets a `World` with a running load, and leaves no process behind."""

import shutil
import signal
import subprocess
import time

from support import weir

SNAPSHOTS = ["--snapshot-every", "500ms"]


class World:
    """A ledger, where its pipeline keeps things, the broker, and what was measured."""

    def __init__(self, ledger, folder, kafka, random, seconds):
        self.ledger = ledger
        self.folder = folder
        self.kafka = kafka
        self.random = random
        self.seconds = seconds  # how long a scenario without an end of its own may go on
        self.state = folder / "state"
        self.faults = 0
        self.recoveries = []  # seconds

    def running(self, state=None, env=None):
        return weir.Running("run", self.ledger.program, "--name", self.ledger.name, "--brokers", self.kafka.address, "--state",
                            state or self.state, "--snapshots", self.folder / "kept", *SNAPSHOTS, log=self.folder / "log", env=env)

    def finish(self):
        """All that is there is counted, and the last updates are out."""
        weir.run("run", self.ledger.program, "--name", self.ledger.name, "--brokers", self.kafka.address, "--state", self.state,
                 "--snapshots", self.folder / "kept", *SNAPSHOTS, "--until", "end", timeout=180)

    def commits(self, pipeline, what="a commit", timeout=60):
        """Waits until more is committed than now."""
        before = max(self.ledger.committed(), 0)
        pipeline.wait_until(lambda: self.ledger.committed() > before, what, timeout)

    def recovers(self, pipeline, began, before):
        """From `began` to the first commit behind `before`."""
        pipeline.wait_until(lambda: self.ledger.committed() > before, "a commit after the fault", 120)
        self.recoveries.append(time.monotonic() - began)

    def goes_on_or_ends(self, pipeline, code, began, before):
        """Either commits behind `before` and is ended (true), or has ended by itself with `code`."""
        while pipeline.process.poll() is None and self.ledger.committed() <= before:
            time.sleep(0.02)
        if pipeline.process.poll() is None:
            self.recoveries.append(time.monotonic() - began)
            assert pipeline.terminate() == 0, pipeline.said()[-1500:]
            return True
        assert pipeline.process.returncode == code, f"{pipeline.process.returncode}\n{pipeline.said()[-1500:]}"
        return False

    def restarted(self, state=None):
        """A process that has come back and committed; the caller ends it."""
        before, began = max(self.ledger.committed(), 0), time.monotonic()
        pipeline = self.running(state)
        self.recovers(pipeline, began, before)
        return pipeline


def kills(world, points):
    """Each process goes on where the one before it was killed, and is killed itself."""
    began = None
    for point in points:
        nth = world.random.randrange(3, 6) if point[0] == "C" else 1
        # Offsets in a transaction that nobody has ended are hidden: an answer is the new process's.
        with world.running(env={"WEIR_FAILPOINT": f"{point}:kill:{nth}"}) as pipeline:
            before = None
            while began and pipeline.process.poll() is None:
                now = world.ledger.committed()
                if before is not None and now > before >= 0:
                    world.recoveries.append(time.monotonic() - began)
                    break
                before = now if before is None else before
            code = pipeline.wait(60)
            assert code == -9, f"{point}: ended with {code}, not by its failpoint\n{pipeline.said()[-1500:]}"
        world.faults += 1
        began = time.monotonic()


def killed_at_each_step_of_a_commit(world):
    kills(world, [f"C{step}" for step in range(10)])


def killed_at_each_step_of_a_snapshot(world):
    kills(world, [f"S{step}" for step in range(6)])


def killed_at_random(world):
    until = time.monotonic() + world.seconds
    while time.monotonic() < until:
        with world.restarted() as pipeline:
            time.sleep(world.random.uniform(0, 2))
            pipeline.kill()
        world.faults += 1
        if world.random.random() < 0.1:
            shutil.rmtree(world.state)
            world.faults += 1


def stopped_and_replaced(world):
    """A zombie: its place is taken while it stands still; it has to notice and go."""
    for turn in range(max(1, int(world.seconds // 20))):
        with world.restarted() as zombie:
            zombie.process.send_signal(signal.SIGSTOP)
            world.faults += 1
            other = world.folder / f"state-{turn}"
            with world.restarted(other) as heir:
                zombie.process.send_signal(signal.SIGCONT)
                code = zombie.wait(60)
                assert code == 75, f"the zombie ended with {code}\n{zombie.said()[-1500:]}"
                world.commits(heir, "a commit beside the end of the zombie")
                assert heir.terminate() == 0, heir.said()[-1500:]
        shutil.rmtree(world.state)
        other.rename(world.state)


def stopped_longer_than_its_session(world):
    """Nobody takes its place: it goes on, or ends with 75 and is started again."""
    pipeline = world.restarted()
    with pipeline:
        pipeline.process.send_signal(signal.SIGSTOP)
        world.faults += 1
        time.sleep(13)
        before, began = max(world.ledger.committed(), 0), time.monotonic()
        pipeline.process.send_signal(signal.SIGCONT)
        if world.goes_on_or_ends(pipeline, 75, began, before):
            return
    with world.restarted() as pipeline:
        assert pipeline.terminate() == 0, pipeline.said()[-1500:]


def the_broker_is_killed(world):
    """With it the leaders and both coordinators: the pipeline waits and goes on, in the same process."""
    with world.restarted() as pipeline:
        world.kafka.kill(world.random)
        world.faults += 1
        world.kafka.up()
        before, began = max(world.ledger.committed(), 0), time.monotonic()
        world.recovers(pipeline, began, before)
        assert pipeline.terminate() == 0, pipeline.said()[-1500:]


def fill(file):
    try:
        while True:
            file.write(bytes(1 << 16))
    except OSError:
        pass  # that is what was wanted


def the_disk_is_full(world):
    """State on a file system of 64 MiB that somebody else fills: the process ends with 74; with room again it goes on."""
    world.state.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "weir-faults", str(world.state)], capture_output=True)
    if mounted.returncode != 0:
        return "not run: no right to mount"
    try:
        with world.restarted() as pipeline:
            ballast = world.state / "ballast"
            # Again and again: the process gives space back, too, when it drops an old log.
            deadline = time.monotonic() + 60
            with open(ballast, "wb", buffering=0) as file:
                while pipeline.process.poll() is None and time.monotonic() < deadline:
                    fill(file)
                    time.sleep(0.05)
            world.faults += 1
            code = pipeline.wait(1)
            assert code == 74, f"ended with {code}\n{pipeline.said()[-1500:]}"
        ballast.unlink()
        with world.restarted() as pipeline:
            assert pipeline.terminate() == 0, pipeline.said()[-1500:]
        saved = world.folder / "state-saved"
        shutil.copytree(world.state, saved)
    finally:
        subprocess.run(["umount", str(world.state)], check=True)
    world.state.rmdir()
    saved.rename(world.state)
    return None


def bits_flip_in_local_state(world):
    """A bit of each kind of file, while nobody runs: found at the start or while reading, never in a result."""
    kinds = ["*.sst", "*.log", "MANIFEST-*", "CURRENT"]
    world.random.shuffle(kinds)
    for kind in kinds if world.seconds > 10 else kinds[:2]:
        with world.restarted() as pipeline:
            time.sleep(0.7)
            assert pipeline.terminate() == 0, pipeline.said()[-1500:]
        files = [path for path in world.state.glob(kind) if path.stat().st_size > 0]
        if not files:
            continue
        path = world.random.choice(files)
        content = bytearray(path.read_bytes())
        bit = world.random.randrange(len(content) * 8)
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        world.faults += 1
        before, began = max(world.ledger.committed(), 0), time.monotonic()
        while True:
            with world.running() as pipeline:
                if world.goes_on_or_ends(pipeline, 74, began, before):
                    break
            assert time.monotonic() - began < 60, "it never came back"


def the_disk_is_lost(world):
    for _ in range(1 if world.seconds <= 10 else 3):
        with world.restarted() as pipeline:
            time.sleep(1)
            pipeline.kill()
        shutil.rmtree(world.state)
        world.faults += 1
    with world.restarted() as pipeline:
        assert pipeline.terminate() == 0, pipeline.said()[-1500:]


def ended_by_sigterm_in_a_transaction(world):
    for step in ("C1", "C6", "C7"):
        with world.running(env={"WEIR_FAILPOINT": f"{step}:delay:2"}) as pipeline:
            world.commits(pipeline)
            assert pipeline.terminate() == 0, pipeline.said()[-1500:]
        world.faults += 1


SHORT = [killed_at_each_step_of_a_commit, stopped_and_replaced, the_disk_is_full, bits_flip_in_local_state, the_disk_is_lost]
LONG = SHORT + [killed_at_each_step_of_a_snapshot, killed_at_random, stopped_longer_than_its_session, the_broker_is_killed,
                ended_by_sigterm_in_a_transaction]
