// What connectors exist and what options they take; checking of the options that only the connector
// reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/checker.h"

namespace weir::compiler {

enum class Role : uint8_t { Source, Sink };
enum class OptionKind : uint8_t { Text, Integer, Number, Bool, Duration, Size, Choice, Start, Map };

struct ConnectorInfo {
  std::string_view name;
  Role role;
  std::string_view address;
  bool replayable, exactly_once;
};
struct OptionInfo {
  std::string_view connector;
  Role role;
  std::string_view name;
  OptionKind kind;
  std::string_view values;
  std::string_view doc;
};
const std::vector<ConnectorInfo>& all_connectors();
const std::vector<OptionInfo>& all_options();
const ConnectorInfo* find_connector(std::string_view name, Role role);

// Reports a connector that does not exist, or not in this role; null then.
const ConnectorInfo* check_connector(const dsl::Connector& connector, Role role,
                                     dsl::Diagnostics& diagnostics);
// The constant text in the parentheses; "" if there is none or it is wrong (reported).
std::string check_address(const dsl::Connector& connector, const ConnectorInfo& info,
                          Checker& checker, dsl::Diagnostics& diagnostics);

// The option's name: one of the connector's, or of `others`. A name that does not exist is
// reported; the one that was probably meant takes its place, or "".
std::string option_name(const dsl::Option& option, const ConnectorInfo& info,
                        const std::vector<std::string_view>& others, dsl::Diagnostics& diagnostics);
// The option `name` that only the connector reads, appended to `into` (several for maps).
void check_option(const std::string& name, const dsl::Option& option, const ConnectorInfo& info,
                  const Declarations& declarations, const Graph& graph, Checker& checker,
                  dsl::Diagnostics& diagnostics, std::vector<OptionValue>& into);

// The plain word of `format = json`, or "".
std::string option_word(const dsl::Option& option);
// One of `words`, or "" (reported): a word in quotes or nearly one of them is what it was meant as.
std::string choice_of(const std::string& name, const dsl::Expr& value,
                      const std::vector<std::string_view>& words, dsl::Diagnostics& diagnostics);

}  // namespace weir::compiler
