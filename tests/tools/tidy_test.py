#!/usr/bin/python3
"""Each rule of tools/tidy finds its own violation, and a clean tree has none."""

import pathlib
import subprocess
import sys
import tempfile

TIDY = pathlib.Path(__file__).resolve().parents[2] / "tools" / "tidy"

CLEAN = {
    "CMakeLists.txt": "project(weir)\n",
    "dsl/README.md": "Text to syntax.\n",
    "dsl/lexer.h": "#pragma once\n#include <string>\n",
    "dsl/lexer.cpp": '#include "dsl/lexer.h"\n',
    "dsl/diagnostic.def": 'DIAGNOSTIC(   1, unexpected_token, Error, "…")\nDIAGNOSTIC(   2, unterminated, Error, "…")\n',
    "runtime/README.md": "Runs plans.\n",
    "runtime/contract/reason.def": 'REASON(7001, malformed, "…")\n',
    "runtime/lane.cpp": '#include "runtime/contract/stage_abi.h"\n#include <tbb/task_arena.h>\n',
    "stdlib/README.md": "Kernels.\n",
    "stdlib/hash.cpp": '#include <cstdint>\n#include <immintrin.h>\n',
}

# What is put on top of the clean tree, and a part of what tidy then has to say.
DIRTY = [
    ({"src/main.cpp": ""}, "the top of the tree is fixed"),
    ({"codegen/stage.cpp": ""}, "a room has a README"),
    ({"samples/rides/pipeline.weir": ""}, "samples/rides/README.md"),
    ({"dsl/string_utils.cpp": ""}, "`string_utils` names no idea"),
    ({"runtime/common/lane.cpp": ""}, "`common` names no idea"),
    ({"dsl/Lexer.cpp": ""}, "snake_case"),
    ({"dsl/parser.cpp": '#include "lexer.h"\n'}, "written from the root"),
    ({"dsl/parser.cpp": '#include "compiler/graph.h"\n'}, "dsl/ must not include `compiler/graph.h`"),
    ({"runtime/plan.cpp": '#include "compiler/graph.h"\n'}, "runtime/ must not include `compiler/graph.h`"),
    ({"runtime/plan.cpp": "#include <llvm/IR/Module.h>\n"}, "runtime/ must not see <llvm/IR/Module.h>"),
    ({"compiler/README.md": "", "compiler/a.cpp": '#include "runtime/lane.h"\n'}, "only the contracts"),
    ({"compiler/README.md": "", "compiler/a.cpp": "#include <rocksdb/db.h>\n"}, "compiler/ must not see <rocksdb/db.h>"),
    ({"codegen/README.md": "", "codegen/a.cpp": "#include <librdkafka/rdkafka.h>\n"}, "codegen/ must not see"),
    ({"stdlib/text.cpp": "#include <boost/regex.hpp>\n"}, "a kernel must not include <boost/regex.hpp>"),
    ({f"runtime/{x}.h": "#pragma once\n#include <rocksdb/db.h>\n" for x in "ab"}, "in more than one header"),
    ({"runtime/contract/plan.cpp": ""}, "a contract is messages"),
    ({"dsl/README.md": "see .." + "/shared/notes\n"}, "a file outside of this project"),
    ({"dsl/README.md": "see /work" + "/main\n"}, "a path of one machine"),
    ({"dsl/parser.cpp": "// TO" + "DO: later\n"}, "open an issue"),
    ({"dsl/parser.cpp": 'void f() { std::cerr << "x"; }\n'}, "never prints"),
    ({"runtime/plan.cpp": "void f() { exit(1); }\n"}, "never exits"),
    ({"dsl/diagnostic.def": "DIAGNOSTIC(1, a, …)\nDIAGNOSTIC(1, b, …)\n"}, "W0001 is taken"),
    ({"dsl/diagnostic.def": "DIAGNOSTIC(1, a, …)\nDIAGNOSTIC(2, a, …)\n"}, "`a` is taken"),
    ({"dsl/diagnostic.def": "DIAGNOSTIC(2, a, …)\nDIAGNOSTIC(1, b, …)\n"}, "in the order of the codes"),
    ({"dsl/diagnostic.def": "DIAGNOSTIC(7001, a, …)\n"}, "this list has W0001 to W6999"),
    ({"runtime/contract/reason.def": "nothing\n"}, "no entry that this check can read"),
    ({"dsl/span.h": "struct Span;\n"}, "#pragma once"),
]


def tidy(extra):
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(["git", "init", "-q", root], check=True)
        for path, text in {**CLEAN, **extra}.items():
            file = pathlib.Path(root) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        result = subprocess.run([str(TIDY), "--root", root], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return result.returncode, result.stdout


def main():
    failed = 0
    code, said = tidy({})
    if code != 0:
        failed += 1
        print(f"the clean tree is not clean:\n{said}")
    for extra, expected in DIRTY:
        code, said = tidy(extra)
        if code != 1 or expected not in said:
            failed += 1
            print(f"{sorted(extra)}: expected `{expected}`, tidy said (code {code}):\n{said}")
    print(f"{len(DIRTY) + 1 - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
