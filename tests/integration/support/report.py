"""The main function of an integration test: runs its functions `test_…` in their order.

    if __name__ == "__main__":
        report.main(globals())

An argument chooses tests by a part of their names. The last line is `N passed, N failed`.
"""

import sys
import time
import traceback


def main(names):
    wanted = sys.argv[1:]
    tests = {name: test for name, test in names.items()
             if name.startswith("test_") and (not wanted or any(part in name for part in wanted))}
    failed = 0
    for name, test in tests.items():
        began = time.monotonic()
        verdict = ""
        try:
            test()
        except Exception:
            failed += 1
            verdict = "  FAILED"
            traceback.print_exc(file=sys.stdout)
        print(f"{time.monotonic() - began:6.1f} s  {name}{verdict}", flush=True)
    if not tests:
        print(f"no test has {wanted} in its name")
        sys.exit(1)
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
