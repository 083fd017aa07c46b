#!/usr/bin/python3
"""A scripted editor: what `weir lsp` answers.

    tests/tools/lsp_test.py [--weir build/weir] [part of a test's name …]

In a program `§1`, `§2` … mark places; they are taken out before the server sees it.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEIR = str(ROOT / "build" / "weir")

RIDES = """/// One ride.
record Ride {
  /// Who rides.
  §1user_id: string
  kind:    string
  amount:  decimal(12, 2)?
  ts:      timestamp(ms)
}

source §2rides: §3Ride = kafka("rides") { event_time = ts, watermark = 1m }

fn §4twice(x: int64) -> int64 = §5x * 2

/// Rides per kind.
stream counts = rides
  | where §6user_id != "ä𝄞" and §7kind != "idle"
  | window tumble(1m) by kind { n = count(), money = sum(amount), last_user = last(§8user_id), m = §9twice(count()) }

stream busy = §acounts | where §bn > 10
sink busy -> kafka("busy") { key = §ckind }

test "one" {
  given rides [ { §duser_id = "a", kind = "b", ts = @2025-01-01T00:00:40Z } ]
  expect counts final [ { kind = "b", n = 1 } ]
}
"""


class Marked:
    """A program and where its marks were: line and column in UTF-16 units."""

    def __init__(self, text):
        self.places, self.text = {}, ""
        for part in re.split(r"(§.)", text):
            if part.startswith("§"):
                before = self.text.rsplit("\n", 1)[-1]
                self.places[part[1]] = {"line": self.text.count("\n"), "character": len(before.encode("utf-16-le")) // 2}
            else:
                self.text += part

    def at(self, mark):
        return self.places[mark]

    def offset(self, place):
        lines = self.text.split("\n")
        line = lines[place["line"]].encode("utf-16-le")[: 2 * place["character"]].decode("utf-16-le")
        return sum(len(each) + 1 for each in lines[: place["line"]]) + len(line)

    def under(self, range_):
        return self.text[self.offset(range_["start"]) : self.offset(range_["end"])]

    def edited(self, edits):
        text = self.text
        for edit in sorted(edits, key=lambda e: self.offset(e["range"]["start"]), reverse=True):
            start, end = self.offset(edit["range"]["start"]), self.offset(edit["range"]["end"])
            text = text[:start] + edit["newText"] + text[end:]
        return text


class Failed(Exception):
    pass


class Editor:
    def __init__(self, folder):
        self.folder, self.number, self.told = pathlib.Path(folder), 0, []
        self.server = subprocess.Popen([WEIR, "lsp", "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        self.tell("initialized", {})

    def send(self, body):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(raw), raw))
        self.server.stdin.flush()

    def receive(self):
        length = None
        while (line := self.server.stdout.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if length is None:
            raise EOFError("the server has gone")
        return json.loads(self.server.stdout.read(length))

    def answer(self, number):
        while True:
            message = self.receive()
            if message.get("id") == number and "method" not in message:
                return message
            self.told.append(message)

    def ask(self, method, params):
        self.number += 1
        self.send({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        answer = self.answer(self.number)
        if "error" in answer:
            raise Failed(answer["error"]["message"])
        return answer["result"]

    def tell(self, method, params):
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def uri(self, name):
        return "file://" + str(self.folder / name).replace(" ", "%20")

    def open(self, marked, name="a program.weir"):
        self.told.clear()
        item = {"uri": self.uri(name), "languageId": "weir", "version": 1, "text": marked.text}
        self.tell("textDocument/didOpen", {"textDocument": item})
        return self.diagnostics(name)

    def change(self, marked, name="a program.weir"):
        self.told.clear()
        self.tell("textDocument/didChange", {"textDocument": {"uri": self.uri(name), "version": 2}, "contentChanges": [{"text": marked.text}]})
        return self.diagnostics(name)

    def diagnostics(self, name="a program.weir"):
        while True:
            for message in self.told:
                if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == self.uri(name):
                    return message["params"]["diagnostics"]
            self.told.append(self.receive())

    def at(self, method, place, name="a program.weir", **more):
        return self.ask(f"textDocument/{method}", {"textDocument": {"uri": self.uri(name)}, "position": place, **more})

    def hover(self, place):
        found = self.at("hover", place)
        return found["contents"]["value"] if found else ""

    def labels(self, place):
        return {item["label"]: item.get("detail", "") for item in self.at("completion", place)["items"]}

    def close(self):
        self.ask("shutdown", None)
        self.tell("exit", None)
        return self.server.wait(timeout=20)


def equal(found, expected, what=""):
    if found != expected:
        raise AssertionError(f"{what}\n  expected {expected!r}\n  found    {found!r}")


def contains(text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError(f"{part!r} is not in {text!r}")


def test_a_good_program_has_no_diagnostics(editor):
    equal(editor.open(Marked(RIDES)), [])


def test_diagnostics_come_and_go(editor):
    wrong = Marked(RIDES.replace('§7kind != "idle"', 'knid = "idle"'))
    found = editor.open(wrong)
    equal([(d["code"], d["severity"], wrong.under(d["range"])) for d in found], [("W0001", 1, "=")])
    wrong = Marked(RIDES.replace("§7kind", "knid"))
    found = editor.change(wrong)
    equal([(d["code"], wrong.under(d["range"])) for d in found], [("W0100", "knid")])
    equal(editor.change(Marked(RIDES)), [])


def test_hover_shows_type_and_doc(editor):
    rides = Marked(RIDES)
    editor.open(rides)
    contains(editor.hover(rides.at("6")), "user_id: string", "Who rides.")
    contains(editor.hover(rides.at("1")), "user_id: string", "Who rides.")
    contains(editor.hover(rides.at("3")), "record Ride", "One ride.")
    contains(editor.hover(rides.at("a")), "stream counts", "Rides per kind.")
    contains(editor.hover(rides.at("b")), "n: int64")
    contains(editor.hover(rides.at("9")), "fn twice(x: int64) -> int64")
    contains(editor.hover(rides.at("5")), "x: int64")
    library = Marked(RIDES.replace("§7kind", "§elower(kind)"))
    editor.change(library)
    contains(editor.hover(library.at("e")), "lower(s: string) -> string")


def test_definition(editor):
    rides = Marked(RIDES)
    editor.open(rides)
    for use, declared in (("6", "1"), ("8", "1"), ("d", "1"), ("9", "4"), ("a", None), ("c", None), ("b", None), ("3", None)):
        found = editor.at("definition", rides.at(use))
        if declared:
            equal(found["range"]["start"], rides.at(declared), f"of {use}")
    equal(rides.under(editor.at("definition", rides.at("a"))["range"]), "counts")
    equal(editor.at("definition", rides.at("3"))["range"]["start"]["line"], 1)
    equal(editor.at("definition", rides.at("c"))["range"]["start"]["line"], 4, "a key that is handed on")
    equal(rides.under(editor.at("definition", rides.at("b"))["range"]), "n")
    equal(editor.at("definition", {"line": 0, "character": 5}), None)


def test_definition_in_another_file(editor):
    (editor.folder / "types.weir").write_text("/// A reading.\nrecord Reading {\n  k: string\n}\n")
    program = Marked('import "types.weir"\nsource s: §1Reading = kafka("s") { format = json }\nsink s -> kafka("o") { key = §2k }\n')
    equal(editor.open(program), [])
    equal(editor.at("definition", program.at("1"))["uri"], editor.uri("types.weir"))
    equal(editor.at("definition", program.at("2"))["range"]["start"], {"line": 2, "character": 2})
    contains(editor.hover(program.at("1")), "A reading.")
    # What the editor has counts, not what is on disk.
    editor.open(Marked("record Reading {\n  j: string\n}\n"), "types.weir")
    equal([d["code"] for d in editor.change(program)], ["W0103"])


def test_references(editor):
    rides = Marked(RIDES)
    editor.open(rides)
    found = editor.at("references", rides.at("6"), context={"includeDeclaration": True})
    equal([place["range"]["start"] for place in found], [rides.at(mark) for mark in "168d"])
    found = editor.at("references", rides.at("6"), context={"includeDeclaration": False})
    equal(len(found), 3)
    found = editor.at("references", rides.at("2"), context={"includeDeclaration": True})
    equal([rides.under(place["range"]) for place in found], ["rides"] * 3)
    found = editor.at("references", rides.at("3"), context={"includeDeclaration": True})
    equal(len(found), 2)


def test_rename(editor):
    rides = Marked(RIDES)
    editor.open(rides)

    def rename(mark, name):
        edits = editor.at("rename", rides.at(mark), newName=name)["changes"][editor.uri("a program.weir")]
        changed = rides.edited(edits)
        equal([d["message"] for d in editor.open(Marked(changed), "after.weir")], [])
        return changed

    equal(rename("a", "per_kind"), rides.text.replace("counts", "per_kind"))
    equal(rename("9", "double"), rides.text.replace("twice", "double"))
    equal(rename("3", "Trip"), re.sub(r"\bRide\b", "Trip", rides.text))
    equal(rename("b", "rides_seen").count("rides_seen"), 3)
    equal(rename("6", "rider"), rides.text.replace("user_id: string", 'rider: string as "user_id"').replace("user_id", "rider")
          .replace('as "rider"', 'as "user_id"'))
    contains(rename("a", "where"), "stream `where`")
    for mark, name in (("6", "kind"), ("a", "rides"), ("b", "kind"), ("b", "a`b"), ("b", "")):
        try:
            rename(mark, name)
        except Failed:
            continue
        raise AssertionError(f"{mark} was renamed to `{name}`")


def test_a_name_that_would_hide_another_is_refused(editor):
    program = Marked("param limit: int64 = 5\nrecord R { §1a: int64, b: int64 }\nsource s: R = kafka(\"s\") { format = json }\n"
                     "stream t = s | where a > limit\nsink t -> kafka(\"o\")\n")
    equal(editor.open(program), [])
    try:
        editor.at("rename", program.at("1"), newName="limit")
    except Failed as failed:
        contains(str(failed), "would mean something else")
        return
    raise AssertionError("a field hides the parameter now")


def test_completion_of_names(editor):
    for change, wanted, unwanted in (
        ('| where us§x\n', {"user_id": "string", "amount": "decimal(12, 2)?", "lower": None, "and": None}, ["counts", "n", "tumble"]),
        ('| where lower(§x\n', {"kind": "string"}, ["counts"]),
        ('| window tumble(1m) by §x { n = count() }\n', {"kind": "string"}, []),
        ('| window tumble(1m) by kind { n = sum(am§x) }\n', {"amount": "decimal(12, 2)?", "count": "aggregate"}, []),
        ('| select { kind, twi§x }\n', {"twice": "twice(x: int64) -> int64"}, []),
        ('| wh§x\n', {"where": None, "window": None, "group": None}, ["amount", "if"]),
        ('| where geo.§x\n', {"distance_km": None}, ["lower", "amount"]),
        ('| where row.§x\n', {"user_id": "string"}, ["lower"]),
    ):
        start = RIDES.index("stream counts")
        program = Marked(re.sub("§[^x]", "", RIDES[:start]) + "stream counts = rides\n  " + change + "\nsink counts -> kafka(\"o\")\n")
        editor.open(program)
        labels = editor.labels(program.at("x"))
        for label, detail in wanted.items():
            if label not in labels or (detail and labels[label] != detail):
                raise AssertionError(f"after {change!r}: `{label}` {detail} is not among {sorted(labels.items())[:40]}")
        for label in unwanted:
            if label in labels:
                raise AssertionError(f"after {change!r}: `{label}` is proposed")


def test_completion_of_words(editor):
    head = 'record R { k: string, ts: timestamp(ms) }\nenum E { one, two }\nsource s: R = kafka("s") { event_time = ts, watermark = 1m }\n'
    for text, wanted, unwanted in (
        ("so§x", ["source", "stream", "record", "sink"], ["where", "s"]),
        ("source t: §x", ["R", "E", "int64"], ["s", "where"]),
        ("source t: R = k§x", ["kafka", "stdin", "generate"], ["stdout"]),
        ("sink s -> §x", ["kafka", "stdout"], ["stdin"]),
        ("source t: R = kafka(\"t\") {\n  §x\n}\n", ["event_time", "watermark", "brokers", "start"], ["emit", "key"]),
        ("sink s -> kafka(\"t\") { key = k, em§x }\n", ["emit", "deliver", "partitioner"], ["watermark"]),
        ("sink s -> kafka(\"t\") { emit = §x }\n", ["append", "update", "complete"], ["k"]),
        ("sink s -> kafka(\"t\") { key = §x }\n", ["k", "ts"], ["append"]),
        ("stream t = s§x\n", ["s"], ["where"]),
        ("stream t = s | union §x\n", ["s"], ["where", "k"]),
        ("stream t = s | extend { e = E.§x }\n", ["one", "two"], ["k"]),
        ("test \"t\" {\n  given s [ { §x = 1 } ]\n}\n", ["k", "ts"], []),
        ("// so§x", [], ["source", "k"]),
        ("stream t = s | where k == \"§x\"\n", [], ["source", "k"]),
    ):
        program = Marked(head + text)
        editor.open(program)
        labels = editor.labels(program.at("x"))
        missing = [label for label in wanted if label not in labels]
        extra = [label for label in unwanted if label in labels]
        if missing or extra:
            raise AssertionError(f"in {text!r}: missing {missing}, too many {extra}, of {sorted(labels)[:30]}")


def test_formatting(editor):
    program = Marked('record R{k:string}\nsource s:R=kafka("s"){format=json}\nsink s->kafka("o")\n')
    editor.open(program)
    options = {"options": {"tabSize": 2, "insertSpaces": True}}
    document = {"textDocument": {"uri": editor.uri("a program.weir")}}
    edits = editor.ask("textDocument/formatting", {**document, **options})
    formatted = program.edited(edits)
    path = editor.folder / "f.weir"
    path.write_text(program.text)
    equal(formatted, subprocess.run([WEIR, "fmt", "--stdout", path], capture_output=True, text=True, check=True).stdout)
    editor.change(Marked(formatted))
    equal(editor.ask("textDocument/formatting", {**document, **options}), [])


def test_code_actions_apply_fixes(editor):
    program = Marked(RIDES.replace("§7kind", "§7knid").replace("§6user_id", "usr_id"))
    found = editor.open(program)
    equal(len(found), 2)
    range_ = {"start": program.at("7"), "end": program.at("7")}
    actions = editor.ask("textDocument/codeAction", {"textDocument": {"uri": editor.uri("a program.weir")}, "range": range_, "context": {"diagnostics": []}})
    quick = [action for action in actions if action["kind"] == "quickfix"]
    equal(len(quick), 1)
    one = program.edited(quick[0]["edit"]["changes"][editor.uri("a program.weir")])
    equal(len(editor.change(Marked(one))), 1)
    editor.change(program)
    all_ = next(action for action in actions if action["kind"] == "source.fixAll")
    equal(editor.change(Marked(program.edited(all_["edit"]["changes"][editor.uri("a program.weir")]))), [])


def test_what_is_no_request_is_answered_and_survived(editor):
    editor.open(Marked(RIDES))
    editor.send(b"{ this is no JSON")
    equal(editor.receive()["error"]["code"], -32700)
    for method, params, code in (("textDocument/unheardOf", {}, -32601), ("textDocument/hover", {"textDocument": 7}, -32602),
                                 ("textDocument/hover", {}, -32602), ("textDocument/rename", {"textDocument": {"uri": "file:///x"}}, -32803)):
        editor.number += 1
        editor.send({"jsonrpc": "2.0", "id": editor.number, "method": method, "params": params})
        equal(editor.answer(editor.number)["error"]["code"], code, method)
    editor.tell("$/setTrace", {"value": "off"})
    editor.tell("textDocument/didChange", {})
    contains(editor.hover({"line": 1, "character": 8}), "record Ride")
    equal(editor.hover({"line": 999, "character": 999}), "")


def test_every_place_of_a_program_can_be_asked_about(editor):
    """Each place of a program that is being written: nothing crashes."""
    program = Marked(RIDES)
    for end in range(0, len(program.text), 29):
        cut = Marked(program.text[:end])
        editor.open(cut)
        last = {"line": cut.text.count("\n"), "character": len(cut.text.rsplit("\n", 1)[-1].encode("utf-16-le")) // 2}
        editor.hover(last)
        editor.labels(last)
        editor.at("definition", last)
        editor.at("references", last, context={"includeDeclaration": True})
        editor.at("prepareRename", last)


def main():
    global WEIR
    parser = argparse.ArgumentParser()
    parser.add_argument("--weir", default=WEIR)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    WEIR = str(pathlib.Path(options.weir).resolve())
    failed = passed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_") or options.names and not any(part in name for part in options.names):
            continue
        with tempfile.TemporaryDirectory() as folder:
            editor = Editor(folder)
            try:
                test(editor)
                equal(editor.close(), 0, "the server's exit code")
                passed += 1
            except Exception:  # one test does not end the others
                failed += 1
                print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
            finally:
                editor.server.kill()
                editor.server.wait()
    print(f"lsp: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
