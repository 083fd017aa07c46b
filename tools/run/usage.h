// What is wrong with a command line, with the word that was meant.
#pragma once

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace weir::tools {

// `app`: the one that did not take the words in `argv`. Lines without an end:
//
//     `--memry` is no option of `weir run`; did you mean `--memory`?
//     `weir run --help` lists what there is
std::string explain_usage(const CLI::App& app, const CLI::ParseError& error, int argc,
                          const char* const* argv);

}  // namespace weir::tools
