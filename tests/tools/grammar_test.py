#!/usr/bin/python3
"""The TextMate grammar of tools/editor knows the words that the lexer and the parser know, and colours programs as it should.

A line is matched as an editor does it: at each place the first pattern that matches nearest.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tools" / "editor" / "vscode"

# Line, text in it, and a part of the scope that it has to get ("" for none).
EXPECTED = [
    ("/// Doc of it.", "Doc", "documentation"),
    ("where a // so", "so", "comment"),
    ('record Ride {', "record", "keyword.declaration"),
    ('record Ride {', "Ride", "entity.name"),
    ('  amount: decimal(12, 2)?', "decimal", "support.type"),
    ('  amount: decimal(12, 2)?', "amount", "member"),
    ('stream counts = rides', "stream", "keyword.declaration"),
    ('  stream = 1', "stream", "variable.parameter"),
    ('  | where kind != "idle"', "where", "control"),
    ('  | where kind != "idle"', "idle", "string"),
    ('  | window hop(1m, every 30s) by kind {', "window", "control"),
    ('  | window hop(1m, every 30s) by kind {', "1m", "duration"),
    ('  | window hop(1m, every 30s) by kind {', "every", "clause"),
    ('  | window hop(1m, every 30s) by kind {', "by", "clause"),
    ('  n = if a is null then "x {b + 1} y" else c', "if", "keyword.control"),
    ('  n = if a is null then "x {b + 1} y" else c', "null", "constant.language"),
    ('  n = if a is null then "x {b + 1} y" else c', "1", "constant.numeric"),
    ('  n = if a is null then "x {b + 1} y" else c', "y", "string"),
    ('  n = a.where + `where`', ".where", ""),
    ('  n = a.where + `where`', "`where`", "variable"),
    ('  ts = @2025-01-01T00:00:40Z', "@2025-01-01T00:00:40Z", "date"),
    ('  m = 64KiB', "64KiB", "size"),
    ('  n = count()', "count", "function"),
    (r'  k = r"\d+" and b', r"\d", "raw"),
    (r'  k = r"\d+" and b', "and", "operator.word"),
]


def words_of_lexer():
    return set(re.findall(r'^WORD\(\w+,\s*"(\w+)"\)', (ROOT / "dsl/token.def").read_text(), re.M))


def words_in(path, name):
    """The words of a list of texts in C++."""
    text = path.read_text()
    body = text[text.index(name) :]
    return set(re.findall(r'"([a-z]+)"', body[: body.index("};")]))


def words_of_pattern(patterns):
    words = set()
    for pattern in patterns:
        for group in re.findall(r"\((?:\?:)?([a-z0-9_|]+)\)", pattern.get("match", "")):
            words |= set(group.split("|"))
    return words


class Grammar:
    def __init__(self, grammar):
        self.repository = grammar["repository"]
        self.patterns = grammar["patterns"]

    def rules(self, patterns):
        for pattern in patterns:
            if "include" in pattern:
                yield from self.rules(self.repository[pattern["include"][1:]]["patterns"] if "patterns" in self.repository[pattern["include"][1:]] else [])
            else:
                yield pattern

    def scopes(self, line, patterns=None, at=0, end=None, around=""):
        """The scope of each letter; of a region that ends with `end`, up to there."""
        scopes = [around] * len(line)
        while at <= len(line):
            best = None
            for rule in self.rules(patterns or self.patterns):
                found = re.compile(rule.get("match") or rule["begin"]).search(line, at)
                if found and (best is None or found.start() < best[0].start()):
                    best = (found, rule)
            stop = re.compile(end).search(line, at) if end else None
            if stop and (best is None or stop.start() <= best[0].start()):
                return scopes, stop.end()
            if best is None:
                return scopes, len(line)
            found, rule = best
            scope = around + " " + rule.get("name", "")
            for i in range(found.start(), found.end()):
                scopes[i] = scope
            for group, capture in rule.get("captures", {}).items():
                for i in range(*found.span(int(group))):
                    scopes[i] = scope + " " + capture["name"]
            if "begin" in rule:
                inner, behind = self.scopes(line, rule["patterns"], found.end(), rule["end"], scope)
                scopes[found.end() : behind] = inner[found.end() : behind]
                at = behind
            else:
                at = max(found.end(), found.start() + 1)
        return scopes, len(line)


def main():
    problems = []
    grammar = json.loads((FOLDER / "syntaxes/weir.tmLanguage.json").read_text())
    package = json.loads((FOLDER / "package.json").read_text())
    json.loads((FOLDER / "language-configuration.json").read_text())
    for path in [package["main"], *(each["path"] for each in package["contributes"]["grammars"]),
                 *(each["configuration"] for each in package["contributes"]["languages"])]:
        if not (FOLDER / path).is_file():
            problems.append(f"package.json names {path}, which does not exist")

    known = words_of_pattern(grammar["repository"]["words"]["patterns"])
    if known != words_of_lexer():
        problems.append(f"reserved words: only in one of grammar and lexer: {sorted(known ^ words_of_lexer())}")
    declarations = words_of_pattern(grammar["repository"]["declarations"]["patterns"]) - {"fn"} | {"fn"}
    if declarations != words_in(ROOT / "dsl/lexer.cpp", "declaration_words() {"):
        problems.append("declarations: " + str(sorted(declarations ^ words_in(ROOT / "dsl/lexer.cpp", "declaration_words() {"))))
    shown = words_in(ROOT / "tools/lsp/completion.cpp", "operator_words() {")
    parsed = words_in(ROOT / "dsl/parse_pipeline.cpp", "operator_words() {")
    # `left join` begins with a word of its own.
    if shown != parsed - {"left", "right", "full", "anti"}:
        problems.append(f"operators that completion proposes: {sorted(shown ^ parsed)}")

    made = Grammar(grammar)
    for line, text, scope in EXPECTED:
        scopes, _ = made.scopes(line)
        begin = line.rindex(text) if text in ("y", "by", "1") else line.index(text)
        found = scopes[begin + len(text) - 1]
        if (scope not in found) if scope else any(name in found for name in ("keyword", "constant", "string")):
            problems.append(f"`{text}` in {line!r} has the scope {found!r}, expected {scope or 'none'!r}")
    for program in sorted(ROOT.glob("samples/*/pipeline.weir")):
        for number, line in enumerate(program.read_text().splitlines(), 1):
            scopes, _ = made.scopes(line)
            if line.startswith("///") and not all("comment" in scope for scope in scopes):
                problems.append(f"{program}:{number}: a comment that is not one")
    print("\n".join(problems) if problems else f"grammar: {len(known | declarations)} words, {len(EXPECTED)} places")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
