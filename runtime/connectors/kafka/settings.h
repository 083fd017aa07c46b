// The settings of our Kafka clients, each written out with its reason. A pipeline's `properties`
// may change those that are about speed; those that delivery rests on are refused (settings.cpp has
// the two lists).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/log.h"

namespace weir::runtime::kafka {

struct Setting {
  const char* name;
  std::string value;
};
using Settings = std::vector<Setting>;

Settings client_settings(const ClientProperties& properties);
// `partitions`: how many share the memory.
Settings consumer_settings(const GroupOptions& options, int32_t partitions);
Settings reader_settings();
Settings producer_settings(const std::string& transactional_id);

// Why a program may not set this property; nothing if it may.
std::optional<std::string> refusal(std::string_view property);
// Its value is never printed: named so by the program, or known to hold one.
bool is_secret(std::string_view property, const ClientProperties& properties);
// `text` with every secret value in it blotted out.
std::string without_secrets(std::string text, const ClientProperties& properties);

}  // namespace weir::runtime::kafka
