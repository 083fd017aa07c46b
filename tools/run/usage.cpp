#include "tools/run/usage.h"

#include <CLI/CLI.hpp>
#include <string_view>
#include <vector>

#include "dsl/render.h"

namespace weir::tools {
namespace {

std::string meant(std::string_view word, const std::vector<std::string_view>& names,
                  const std::string& before) {
  std::string best = dsl::did_you_mean(word, names);
  return best.empty() ? "" : "; did you mean `" + before + best + "`?";
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string unknown_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> all;
  for (const CLI::App* command : commands_of(app)) all.push_back(command->get_name());
  std::vector<std::string_view> names(all.begin(), all.end());
  return "`" + word + "` is no command" + meant(word, names, "");
}

std::string unexpected(const CLI::App& app, const std::string& command,
                       const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word.size() < 2 || word[0] != '-') continue;
    std::vector<std::string_view> names;
    for (const CLI::Option* option : app.get_options({}))
      for (const std::string& name : option->get_lnames()) names.push_back(name);
    std::string given = word.substr(0, word.find('='));
    std::string_view name = std::string_view(given).substr(given.find_first_not_of('-'));
    return "`" + given + "` is no option of `" + command + "`" + meant(name, names, "--");
  }
  return "`" + words.front() + "` is one argument too many for `" + command + "`";
}

}  // namespace

std::string explain_usage(const CLI::App& app, const CLI::ParseError& error, int argc,
                          const char* const* argv) {
  const CLI::App* command = nullptr;
  for (const CLI::App* one : commands_of(app))
    if (argc > 1 && one->get_name() == argv[1]) command = one;
  bool has_commands = !commands_of(app).empty();
  std::string text = error.what();
  if (has_commands && argc < 2) {
    text = "a command is wanted";
  } else if (has_commands && !command) {
    text = argv[1][0] == '-' ? unexpected(app, app.get_name(), {argv[1]})
                             : unknown_command(app, argv[1]);
  }
  const CLI::App& asked = command ? *command : app;
  std::string name = command ? app.get_name() + " " + command->get_name() : app.get_name();
  std::vector<std::string> words = asked.remaining();
  if (!words.empty() && (command || !has_commands) &&
      error.get_exit_code() == int(CLI::ExitCodes::ExtrasError)) {
    text = unexpected(asked, name, words);
  }
  return text + "\n      `" + name + " --help` lists what there is";
}

}  // namespace weir::tools
