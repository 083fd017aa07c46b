// libFuzzer: any bytes through lexer, parser, renderer and formatter.
//
//   tools/build fuzz --target parser_fuzz && build/fuzz/fuzz/parser_fuzz -max_total_time=120 <copy
//   of tests/fuzz/parser_fuzz>
//
// Nothing may crash; what parses is formatted to a text that means the same and that stays as it is
// when it is formatted again; what does not parse has a diagnostic inside the file.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "dsl/format.h"
#include "dsl/parser.h"
#include "dsl/print_ast.h"
#include "dsl/render.h"

using namespace weir::dsl;

namespace {

void require(bool holds, const char* what, const std::string& shown) {
  if (holds) return;
  std::fprintf(stderr, "%s\n%s\n", what, shown.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Sources sources;
  FileId file = sources.add("fuzz.weir", std::string(reinterpret_cast<const char*>(data), size));
  Diagnostics diagnostics;
  Program program = parse(sources, file, diagnostics);
  std::string tree = print_ast(program);
  if (diagnostics.has_errors()) {
    for (const Diagnostic& d : diagnostics.all()) {
      require(d.span.begin <= d.span.end && d.span.end <= size, "a place outside the file",
              d.message);
      require(!d.fix || (d.fix->span.begin <= d.fix->span.end && d.fix->span.end <= size),
              "a fix outside", d.message);
    }
    render(diagnostics, sources);
    render_json(diagnostics, sources);
    return 0;
  }
  require(tree.find("BAD") == std::string::npos ||
              sources.file(file).text().find("BAD") != std::string_view::npos,
          "something was not read and nothing said", tree);
  auto once = format(sources, file, diagnostics);
  require(once.has_value(), "it parses, but is not formatted", tree);
  FileId again = sources.add("once.weir", *once);
  Program formatted = parse(sources, again, diagnostics);
  require(!diagnostics.has_errors(), "the formatted text does not parse",
          *once + render(diagnostics, sources));
  require(print_ast(formatted) == tree, "the formatted text means something else", *once);
  auto twice = format(sources, again, diagnostics);
  require(twice == once, "formatting twice is not formatting once",
          *once + "----\n" + twice.value_or(""));
  return 0;
}
