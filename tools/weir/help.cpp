// `weir help functions`: the reference of the standard library, from its declarations.
#include <cstdio>

#include "compiler/function_text.h"
#include "compiler/standard_library.h"
#include "tools/weir/commands.h"
#include "tools/weir/program.h"

namespace weir::tools {

namespace {

using compiler::FunctionPage;

// `exp(x)`, but `geo.distance(…)`.
std::string called(const FunctionPage& page, const std::string& signature) {
  return compiler::is_bare_module(page.module) ? signature : page.module + "." + signature;
}

void print_page(const FunctionPage& page, const char* indent) {
  for (const std::string& signature : page.signatures)
    std::printf("%s%s\n", indent, called(page, signature).c_str());
  std::printf("\n%s\n\n", page.text.c_str());
  for (const std::string& example : page.examples) std::printf("    %s\n", example.c_str());
}

int list() {
  std::string module;
  for (const FunctionPage& page : compiler::function_pages()) {
    if (page.module != module) {
      module = page.module;
      std::printf("%s%s\n", module == compiler::function_pages().front().module ? "" : "\n",
                  module.c_str());
    }
    std::printf("  %s\n", called(page, page.signatures.front()).c_str());
  }
  return 0;
}

int show(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    bool found = false;
    for (const FunctionPage& page : compiler::function_pages()) {
      if (page.name != name && page.module != name && page.module + "." + page.name != name)
        continue;
      if (found) std::printf("\n");
      found = true;
      print_page(page, "");
    }
    if (!found)
      return fail(runtime::Exit::Usage, "there is no function or module `" + name +
                                            "`; `weir help functions` lists them");
  }
  return 0;
}

int markdown() {
  std::printf(
      "# The functions\n\nGenerated from the declarations in this folder: "
      "`weir help functions --markdown`. The examples are tests.\nWhere a value may be null, a "
      "call is a compile-time error until the program says what then; `try f(x)` makes an error "
      "null.\nModules `math text time list` are called bare, the others by their name; "
      "`f(x, y)` may be written `x.f(y)`.\n");
  std::string module;
  for (const FunctionPage& page : compiler::function_pages()) {
    if (page.module != module) {
      module = page.module;
      std::printf("\n## %s\n\n%s\n", module.c_str(), compiler::module_text(module).c_str());
    }
    std::printf("\n### %s\n\n", page.name.c_str());
    for (const std::string& signature : page.signatures)
      std::printf("- `%s`\n", called(page, signature).c_str());
    std::printf("\n%s\n\n", page.text.c_str());
    for (const std::string& example : page.examples) std::printf("    %s\n", example.c_str());
  }
  return 0;
}

// A program whose test is that all examples are true; a stream for each module. The row's own
// fields are in front of them, so that nothing is known before a row comes.
int examples() {
  std::printf("record Row { id: int64 }\nsource rows: Row = stdin() { format = json }\n");
  std::string module, tests;
  int count = 0;
  auto end = [&] {
    if (!module.empty()) std::printf("}\nsink %s_examples -> stdout()\n", module.c_str());
  };
  for (const FunctionPage& page : compiler::function_pages()) {
    if (page.module != module) {
      end();
      if (!module.empty()) tests += "  } ]\n}\n";
      module = page.module;
      std::printf("\nstream %s_examples = rows | select {\n", module.c_str());
      tests += "\ntest \"" + module + "\" {\n  given rows [ { id = 1 } ]\n  expect " + module +
               "_examples [ {\n";
    }
    for (const std::string& example : page.examples) {
      std::string name = page.name + "_" + std::to_string(++count);
      std::printf("  %s = %s\n", name.c_str(), example.c_str());
      tests += "    " + name + " = true\n";
    }
  }
  end();
  std::printf("%s  } ]\n}\n", tests.c_str());
  return 0;
}

struct Options {
  std::string topic;
  std::vector<std::string> names;
  bool markdown = false, examples = false;
};

int help(const Options& options) {
  if (options.topic != "functions")
    return fail(runtime::Exit::Usage, "there is no topic `" + options.topic + "`: functions");
  if (options.markdown) return markdown();
  if (options.examples) return examples();
  return options.names.empty() ? list() : show(options.names);
}

}  // namespace

Command add_help(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("TOPIC", options->topic, "functions")->required();
  app.add_option("NAME", options->names, "functions or modules: `split`, `geo`, `geo.bearing`");
  app.add_flag("--markdown", options->markdown, "all of them as a page");
  app.add_flag("--examples", options->examples, "a program whose tests are the examples");
  return [options] { return help(*options); };
}

}  // namespace weir::tools
