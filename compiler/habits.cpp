#include "compiler/habits.h"

#include "dsl/render.h"
#include "dsl/utf8.h"

namespace weir::compiler {
namespace {

struct Habit {
  std::string_view elsewhere, here;
};
constexpr Habit kHabits[] = {
    {"length", "len"},         {"size", "len"},
    {"strlen", "len"},         {"char_length", "len"},
    {"ucase", "upper"},        {"lcase", "lower"},
    {"touppercase", "upper"},  {"tolowercase", "lower"},
    {"to_upper", "upper"},     {"to_lower", "lower"},
    {"uppercase", "upper"},    {"lowercase", "lower"},
    {"strip", "trim"},         {"startswith", "starts_with"},
    {"endswith", "ends_with"}, {"includes", "contains"},
    {"mean", "avg"},           {"average", "avg"},
    {"ceiling", "ceil"},       {"power", "pow"},
    {"int", "int64"},          {"integer", "int64"},
    {"long", "int64"},         {"to_int", "int64"},
    {"parse_int", "int64"},    {"float", "float64"},
    {"double", "float64"},     {"to_string", "string"},
    {"tostring", "string"},    {"str", "string"},
    {"text", "string"},        {"boolean", "bool"},
    {"count_if", "count"},     {"rowtime", "event_time"},
    {"any_value", "first"},
};

}  // namespace

std::string function_meant(std::string_view name) {
  std::string small = dsl::ascii_lower(name);
  std::vector<std::string_view> known;
  for (const Habit& habit : kHabits) known.push_back(habit.elsewhere);
  std::string near = dsl::did_you_mean(small, known);
  for (const Habit& habit : kHabits) {
    if (!near.empty() && habit.elsewhere == near) return std::string(habit.here);
  }
  return "";
}

}  // namespace weir::compiler
