#include "tools/run/usage.h"

#include <doctest/doctest.h>

#include <CLI/CLI.hpp>
#include <vector>

namespace weir::tools {
namespace {

// What is said about a command line that is not taken; "" if it is.
std::string said_of(std::vector<const char*> words) {
  CLI::App app{"", "weir"};
  app.require_subcommand(1);
  CLI::App* run = app.add_subcommand("run", "");
  std::string program, memory;
  run->add_option("program", program)->required();
  run->add_option("--memory", memory);
  app.add_subcommand("build", "");
  words.insert(words.begin(), "weir");
  try {
    app.parse(int(words.size()), words.data());
  } catch (const CLI::ParseError& error) {
    return explain_usage(app, error, int(words.size()), words.data());
  }
  return "";
}

bool begins_with(const std::string& text, const char* beginning) {
  return text.starts_with(beginning);
}

}  // namespace

TEST_CASE("a word that is not known brings the one that was meant") {
  CHECK(said_of({"run", "a.weir", "--memory", "1GiB"}) == "");
  CHECK(said_of({"run", "a.weir", "--memry", "1GiB"}) ==
        "`--memry` is no option of `weir run`; did you mean `--memory`?\n"
        "      `weir run --help` lists what there is");
  CHECK(begins_with(said_of({"run", "a.weir", "--memry=1GiB"}),
                    "`--memry` is no option of `weir run`; did you mean `--memory`?\n"));
  CHECK(begins_with(said_of({"run", "a.weir", "--colour"}),
                    "`--colour` is no option of `weir run`\n"));
  CHECK(begins_with(said_of({"run", "a.weir", "b.weir"}),
                    "`b.weir` is one argument too many for `weir run`\n"));
  CHECK(said_of({"biuld", "a.weir"}) ==
        "`biuld` is no command; did you mean `build`?\n      `weir --help` lists what there is");
  CHECK(begins_with(said_of({"--hlp"}), "`--hlp` is no option of `weir`; did you mean `--help`?"));
  CHECK(begins_with(said_of({}), "a command is wanted\n"));
}

TEST_CASE("what is missing is named") {
  CHECK(begins_with(said_of({"run"}), "program is required\n"));
  CHECK(said_of({"run", "a.weir", "--memory"}).find("--memory") != std::string::npos);
}

}  // namespace weir::tools
