"""Runs the `weir` command of the release build, and kills it as a test wants.

    result = run("run", program, "--until", "end", "--brokers", brokers())
    with Running("run", program, "--brokers", brokers(), log=scratch / "weir.log") as pipeline:
        pipeline.wait_for("epoch 3")
        pipeline.kill()

Every process that a test starts ends with the test.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
WEIR = pathlib.Path(os.environ.get("WEIR_COMMAND", ROOT / "build" / "weir"))


def run(*arguments, expected_code=0, timeout=120, env=None, command=WEIR):
    """Runs to the end; returns (stdout, stderr). An exit code other than the expected is an error with both texts."""
    result = subprocess.run([str(command), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=timeout, env={**os.environ, **(env or {})})
    if result.returncode != expected_code:
        raise AssertionError(f"{command} {' '.join(map(str, arguments))}\nended with {result.returncode}, expected "
                             f"{expected_code}\n--- stdout\n{result.stdout[-4000:]}\n--- stderr\n{result.stderr[-4000:]}")
    return result.stdout, result.stderr


class Running:
    """A `weir` process in the background; its stdout and stderr go to one log file."""

    def __init__(self, *arguments, log, env=None, command=WEIR):
        self.log = pathlib.Path(log)
        self.start = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen([str(command), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=out, env={**os.environ, **(env or {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def said(self):
        """What this process has written so far (not what one before it wrote to the same file)."""
        with open(self.log, "rb") as file:
            file.seek(self.start)
            return file.read().decode(errors="replace")

    def wait_for(self, text, timeout=60):
        self.wait_until(lambda: text in self.said(), f"`{text}`", timeout)

    def wait_until(self, condition, what, timeout=60):
        """Waits for something outside (rows in a topic, say); an end of the process meanwhile is an error."""
        deadline = time.monotonic() + timeout
        while not condition():
            if self.process.poll() is not None and not condition():
                raise AssertionError(f"ended with {self.process.returncode} before {what}:\n{self.said()[-4000:]}")
            if time.monotonic() > deadline:
                raise AssertionError(f"no {what} within {timeout} s:\n{self.said()[-4000:]}")
            time.sleep(0.02)

    def kill(self):
        """As a power cut would: no handler runs."""
        self.process.kill()
        self.process.wait()

    def terminate(self, timeout=60):
        """As an operator would; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def wait(self, timeout=120):
        return self.process.wait(timeout)


@contextlib.contextmanager
def scratch():
    """A folder for state, programs and logs of one test; kept, and named, if the test fails."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-test-"))
    try:
        yield folder
    except BaseException:
        print(f"what the test left behind: {folder}")
        raise
    shutil.rmtree(folder)
