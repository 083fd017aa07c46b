#!/usr/bin/python3
"""`weir explain --svg` draws what `--json` lists: well-formed, nothing outside, no two boxes on each other, no line through a box.

    tests/tools/explain_test.py [--weir build/weir] [PROGRAM…]

Without programs: the samples, the cases that compile, and one with many streams.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def many_streams(count=40):
    """Streams over streams, each also over one far above."""
    text = "record R { k: string, a: int64, ts: timestamp(ms) }\n"
    text += 'source s0: R = kafka("s") { event_time = ts, watermark = 1m }\n'
    for i in range(1, count):
        text += f's{i}'.join(["stream ", f" = s{i - 1} | where a > {i} and k != \"<&\\\">\" | union s{i // 3}\n"])
    text += f"stream w = s{count - 1} | window tumble(1m) by k {{ n = count() }}\nsink w -> discard()\n"
    for i in range(0, 12, 3):
        text += f"sink s{i} -> discard()\n"
    return text


def points(path):
    """Places on an edge's line."""
    found, at = [], (0, 0)
    for letter, numbers in re.findall(r"([MLC])([-\d. ]+)", path):
        values = [float(number) for number in numbers.split()]
        ends = list(zip(values[::2], values[1::2]))
        for step in range(0, 21):
            t = step / 20
            if letter == "L":
                found.append(tuple(a + (b - a) * t for a, b in zip(at, ends[0])))
            if letter == "C":
                found.append(tuple((1 - t) ** 3 * p0 + 3 * (1 - t) ** 2 * t * p1 + 3 * (1 - t) * t ** 2 * p2 + t ** 3 * p3
                                   for p0, p1, p2, p3 in zip(at, *ends)))
        at = ends[-1]
    return found


def inside(x, y, box, by=1.5):
    left, top, right, bottom = box
    return left + by < x < right - by and top + by < y < bottom - by


def problems_of(weir, path):
    def explain(form):
        return subprocess.run([weir, "explain", form, path], capture_output=True, text=True)

    shown = explain("--json")
    if shown.returncode != 0:
        return None
    facts = json.loads(shown.stdout)
    root = xml.etree.ElementTree.fromstring(explain("--svg").stdout)
    width, height = float(root.get("width")), float(root.get("height"))
    boxes = []
    for rect in root.findall(f"{SVG}rect[@class]"):
        x, y, w, h = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
        boxes.append((x, y, x + w, y + h))
    lines = root.findall(f"{SVG}path")
    problems = []
    if len(boxes) != len(facts["nodes"]):
        problems.append(f"{len(boxes)} boxes for {len(facts['nodes'])} nodes")
    if len(lines) != len(facts["edges"]):
        problems.append(f"{len(lines)} lines for {len(facts['edges'])} edges")
    for i, box in enumerate(boxes):
        if box[0] < 0 or box[1] < 0 or box[2] > width or box[3] > height:
            problems.append(f"box {i} is partly outside")
        for other in boxes[:i]:
            if box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]:
                problems.append(f"box {i} is on another one")
    for text in root.findall(f"{SVG}text"):
        x, y = float(text.get("x")), float(text.get("y"))
        own = next((box for box in boxes if inside(x, y, box, 0)), None)
        if not own or x + 7.3 * len(text.text) > own[2] + 1:
            problems.append(f"`{text.text}` is not in its box")
    for line, edge in zip(lines, facts["edges"]):
        place = points(line.get("d"))
        crossed = {i for x, y in place for i, box in enumerate(boxes) if inside(x, y, box)}
        if crossed:
            problems.append(f"the line from {edge['from']} to {edge['to']} crosses the boxes {sorted(crossed)}")
        if abs(place[0][1] - boxes[edge["from"]][3]) > 1 or abs(place[-1][1] - boxes[edge["to"]][1]) > 1:
            problems.append(f"the line from {edge['from']} to {edge['to']} does not")
        if not edge["fused"] and (not edge["why_not"] or line.get("class") != "cut"):
            problems.append(f"the edge from {edge['from']} to {edge['to']} is not fused, and nobody says why")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weir", default=ROOT / "build" / "weir")
    parser.add_argument("programs", nargs="*")
    options = parser.parse_args()
    weir, seen, wrong = str(pathlib.Path(options.weir).resolve()), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        many = pathlib.Path(folder) / "many_streams.weir"
        many.write_text(many_streams())
        folders = ("aggregates", "explain", "fusion", "operators", "rows", "state", "windows")
        programs = options.programs or [many, *sorted(ROOT.glob("samples/*/pipeline.weir")),
                                        *sorted(path for name in folders for path in (ROOT / "tests/cases" / name).glob("*.weir"))]
        for program in programs:
            problems = problems_of(weir, str(program))
            if problems is None:
                continue
            seen += 1
            wrong += bool(problems)
            for problem in problems:
                print(f"{program}: {problem}")
    print(f"{seen} pictures, {wrong} wrong")
    return 1 if wrong or seen < 20 and not options.programs else 0


if __name__ == "__main__":
    sys.exit(main())
