#!/usr/bin/python3
"""`weir test` itself: what `--update` writes, and how a dealing of rows to partitions is shown that gives something else.

    tests/tools/test_command_test.py [--weir build/weir]
"""

import argparse
import difflib
import pathlib
import subprocess
import sys
import tempfile

HEAD = """enum Kind { on, off as "OFF-1" }

record P { x: int32, tag: string? }

record R {
  id:   int64
  k:    Kind
  s:    string?
  t:    timestamp(us)
  long: duration
  d:    decimal(8, 2)
  xs:   list<string>
  m:    map<string, int64>
  p:    P?
}

source rs: R = kafka("r") { format = json, event_time = t, watermark = 1m }

stream all = rs

stream n = rs | window tumble(1m) by k { n = count(), newest = last(id) }

stream ever = rs | group by k { n = count() }

sink all -> kafka("a") { format = json }

sink n -> kafka("n") { format = json }

sink ever -> kafka("e") { format = json, key = k, emit = update }
"""
GIVEN = """  given rs [
    { id = 1, k = off, s = "a \\{b\\} \\"q\\"\\n", t = @2025-01-01T00:00:00.000005Z, long = -90s, d = -1.5, xs = ["a", "\\{"], m = { "k" = 1 }, p = { x = 1 } },
    { id = 2, k = on, t = @2025-01-01T00:00:30Z, long = 1h, d = 2, xs = [], m = {} },
  ]
  advance 1s
  given rs [{ id = 3, k = on, t = @2025-01-01T00:00:31Z, long = 0s, d = 0, xs = [], m = {} }]
"""
WRONG = HEAD + """
test "anew" {
""" + GIVEN + """  expect all []
  // Stays where it is.
  expect n [
    // Right, and as it was written.
    { k = off, n =   1 },
    // Wrong.
    { k = on, n = 7 },
  ]
  expect ever changes [insert { k = on, n = 1 }]
}
"""
RIGHT = HEAD + """
test "anew" {
""" + GIVEN + """  expect all [
    { id = 1, k = off, s = "a \\{b\\} \\"q\\"\\n", t = @2025-01-01T00:00:00.000005Z, long = -1m30s, d = -1.50, xs = ["a", "\\{"], m = { "k" = 1 }, p = { x = 1, tag = null } },
    { id = 2, k = on, s = null, t = @2025-01-01T00:00:30Z, long = 1h, d = 2.00, xs = [], m = {}, p = null },
    { id = 3, k = on, s = null, t = @2025-01-01T00:00:31Z, long = 0s, d = 0.00, xs = [], m = {}, p = null },
  ]
  // Stays where it is.
  expect n [
    // Right, and as it was written.
    { k = off, n = 1 },
    // Wrong.
    { k = on, n = 2 },
  ]
  expect ever changes [
    insert { k = off, n = 1 },
    insert { k = on, n = 1 },
    update { k = on, n = 2 },
  ]
}
"""
# The last of equal times is that of the last partition.
DEPENDS = HEAD + """
test "on the partition" {
  given rs [
    { id = 1, k = on, t = @2025-01-01T00:00:30Z, long = 0s, d = 0, xs = [], m = {} },
    { id = 2, k = on, t = @2025-01-01T00:00:29Z, long = 0s, d = 0, xs = [], m = {} },
    { id = 3, k = on, t = @2025-01-01T00:00:29Z, long = 0s, d = 0, xs = [], m = {} },
    { id = 4, k = on, t = @2025-01-01T00:00:30Z, long = 0s, d = 0, xs = [], m = {} },
    { id = 5, k = on, t = @2025-01-01T00:00:28Z, long = 0s, d = 0, xs = [], m = {} },
  ]
  expect n [{ newest = 4 }]
}
"""


class Folder:
    def __init__(self, weir, folder):
        self.weir = weir
        self.program = pathlib.Path(folder) / "p.weir"

    def test(self, text, *options, code=0):
        self.program.write_text(text)
        done = subprocess.run([self.weir, "test", self.program, *options], capture_output=True, text=True, timeout=60)
        if done.returncode != code:
            raise SystemExit(f"`weir test {' '.join(options)}` ended with {done.returncode}, expected {code}\n{done.stdout}{done.stderr}")
        return done.stdout

    def check(self, what, expected, found):
        if expected == found:
            return
        lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), "expected", "found", lineterm="")
        raise SystemExit(what + "\n" + "\n".join(lines))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weir", default=str(pathlib.Path(__file__).resolve().parents[2] / "build" / "weir"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(options.weir, name)
        folder.test(WRONG, code=1)
        folder.check("a test that fails leaves the file alone", WRONG, folder.program.read_text())
        folder.test(WRONG, "--update")
        folder.check("--update", RIGHT, folder.program.read_text())
        folder.test(RIGHT, "--update")
        folder.check("--update of what is right", RIGHT, folder.program.read_text())
        folder.test(RIGHT)

        # One partition says nothing. Dealt to several, one row elsewhere is enough.
        folder.test(DEPENDS, "--partitions", "1")
        said = folder.test(DEPENDS, code=1)
        elsewhere = [line for line in said.splitlines() if line.startswith("    partition ")]
        if "newest = 1" not in said or "--partitions 1" not in said or len(elsewhere) != 1 \
                or '"id":1' not in elsewhere[0]:
            raise SystemExit("the fewest rows that have to lie elsewhere: row 1 behind the others\n" + said)
    print("weir test: --update, crashes and dealings as written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
