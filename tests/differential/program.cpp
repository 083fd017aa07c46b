#include "tests/differential/program.h"

#include <array>

namespace weir::differential {

namespace {

struct Variable {
  std::string text, type;  // without `?`
  bool optional = false;
};

const char* const kIntegers[] = {"int8",  "int16",  "int32",  "int64",
                                 "uint8", "uint16", "uint32", "uint64"};
const char* const kOrdered[] = {"int32", "int64",    "uint64", "float64",       "decimal", "string",
                                "date",  "duration", "int8",   "timestamp(ms)", "float32"};
const char* const kValues[] = {
    "bool",          "int8",          "int16",  "int32",   "int64",       "uint8",
    "uint16",        "uint32",        "uint64", "float32", "float64",     "decimal",
    "decimal",       "string",        "string", "date",    "duration",    "timestamp(ms)",
    "timestamp(us)", "timestamp(ns)", "E",      "uuid",    "list<int64>", "list<string>"};

bool is_integer(const std::string& type) {
  return type.starts_with("int") || type.starts_with("uint");
}
bool is_unsigned(const std::string& type) { return type.starts_with("uint"); }

class Writer {
 public:
  Writer(Random& random, std::vector<Variable> variables)
      : random_(random), variables_(std::move(variables)) {}

  // An expression of this type, never null.
  std::string value(const std::string& type, int depth) {
    if (depth <= 0 || random_.one_in(7)) return leaf(type);
    switch (random_.below(12)) {
      case 0:
        return "(if " + condition(depth - 1) + " then " + value(type, depth - 1) + " else " +
               value(type, depth - 1) + ")";
      case 1:
        return "(" + optional(type, depth - 1) + " ?? " + value(type, depth - 1) + ")";
      case 2:
        return "((try " + value(type, depth - 1) + ") ?? " + value(type, depth - 1) + ")";
      case 3:
        return "(match " + value("E", depth - 1) + " { red => " + value(type, depth - 1) +
               ", green or blue => " + value(type, depth - 1) + " })";
      default:
        return made(type, depth);
    }
  }

  std::string optional(const std::string& type, int depth) {
    if (random_.one_in(2)) {
      std::string found = variable(type, true);
      if (!found.empty()) return found;
    }
    if (type == "int64" && random_.one_in(2))
      return variable("map<string, int64>", false) + "[\"" + pick("abcz") + "\"]";
    return "(try " + value(type, depth - 1) + ")";
  }

  std::string condition(int depth) { return value("bool", depth); }

  void add(Variable variable) { variables_.push_back(std::move(variable)); }

 private:
  std::string pick(const char* letters) {
    return std::string(1, letters[random_.below(std::char_traits<char>::length(letters))]);
  }
  template <size_t N>
  std::string one_of(const char* const (&all)[N]) {
    return all[random_.below(N)];
  }

  std::string variable(const std::string& type, bool optional) {
    std::vector<const Variable*> found;
    for (const Variable& one : variables_) {
      if (one.optional == optional && one.type == type) found.push_back(&one);
    }
    return found.empty() ? "" : found[random_.below(found.size())]->text;
  }

  std::string leaf(const std::string& type) {
    if (!random_.one_in(4)) {
      std::string found = variable(type, false);
      if (!found.empty()) return found;
    }
    return literal(type);
  }

  std::string literal(const std::string& type) {
    if (type == "bool") return random_.one_in(2) ? "true" : "false";
    if (is_integer(type)) {
      // A type that is said: a literal alone may be of another.
      std::string number =
          std::to_string(random_.below(is_unsigned(type) || random_.one_in(2) ? 120 : 4));
      return type + "(" + (!is_unsigned(type) && random_.one_in(3) ? "-" : "") + number + ")";
    }
    if (type == "float64") return random_.one_in(2) ? "2.5e0" : "(-1e3)";
    if (type == "float32") return "float32(0.1e0)";
    if (type == "decimal") return random_.one_in(2) ? "1.25" : "(-0.007)";
    if (type == "string") return "\"" + std::string(one_of(kTexts)) + "\"";
    if (type == "date") return "@2024-02-29";
    if (type == "duration") return random_.one_in(2) ? "90m" : "1d";
    if (type.starts_with("timestamp")) return type + "(@2024-02-29T12:00:00Z)";
    if (type == "E") return "E." + std::string(random_.one_in(2) ? "red" : "blue");
    if (type == "uuid") return "uuid(\"123e4567-e89b-12d3-a456-426614174000\")";
    if (type == "list<int64>") return "[int64(1), " + literal("int64") + "]";
    if (type == "list<string>") return "[\"a\", \"漢字\"]";
    return "nothing";
  }

  std::string binary(const std::string& left, const char* op, const std::string& right) {
    return "(" + left + " " + op + " " + right + ")";
  }

  // An operator or a function whose result has this type.
  std::string made(const std::string& type, int depth) {
    auto of = [&](const std::string& wanted) { return value(wanted, depth - 1); };
    if (type == "bool") return made_bool(depth);
    if (is_integer(type)) {
      static const char* const kOps[] = {"+", "-", "*", "%", "+", "-"};
      switch (random_.below(type == "int64" ? 9 : 5)) {
        case 0:
        case 1:
          return binary(of(type), one_of(kOps).c_str(), of(type));
        case 2:
          return type + "(" + of(one_of(kIntegers)) + ")";
        case 3: {
          static const char* const kFrom[] = {"float64", "decimal",  "string",       "float32",
                                              "bool",    "duration", "timestamp(ms)"};
          return type + "(" + of(one_of(kFrom)) + ")";
        }
        case 4:
          return is_unsigned(type) ? of(type) : "(-" + of(type) + ")";
        case 5:
          return (random_.one_in(2) ? "div(" : "mod(") + of(type) + ", " + of(type) + ")";
        case 6:
          return random_.one_in(2) ? "len(" + of("string") + ")" : "len(" + of("list<int64>") + ")";
        case 7:
          return of("list<int64>") + "[" + of("int64") + "]";
        default:
          return "bit_" + std::string(random_.one_in(2) ? "and" : "xor") + "(" + of(type) + ", " +
                 of(type) + ")";
      }
    }
    if (type == "float64" || type == "float32") {
      static const char* const kOps[] = {"+", "-", "*", "/", "%"};
      switch (random_.below(5)) {
        case 0:
        case 1:
          return binary(of(type), one_of(kOps).c_str(), of(type));
        case 2:
          return type == "float64" ? binary(of("int64"), "/", of("int64")) : "(-" + of(type) + ")";
        case 3:
          return type + "(" + of(random_.one_in(2) ? "decimal" : "float64") + ")";
        default:
          return type + "(" + of(one_of(kIntegers)) + ")";
      }
    }
    if (type == "decimal") {
      static const char* const kOps[] = {"+", "-", "*", "/", "%", "+"};
      static const char* const kTypes[] = {"decimal(10, 2)", "decimal(38, 10)", "decimal(18, 18)",
                                           "decimal(5, 0)",  "decimal(19, 3)",  "decimal(4, 4)"};
      switch (random_.below(6)) {
        case 0:
        case 1:
        case 2:
          return binary(of(type), one_of(kOps).c_str(),
                        of(random_.one_in(4) ? "int32" : "decimal"));
        case 3:
          return "(-" + of(type) + ")";
        case 4:
          return one_of(kTypes) + "(" + of("decimal") + ")";
        default: {
          static const char* const kFrom[] = {"float64", "int64", "string", "uint64"};
          return one_of(kTypes) + "(" + of(one_of(kFrom)) + ")";
        }
      }
    }
    if (type == "string") {
      static const char* const kFrom[] = {"int64", "decimal", "string",  "bool",
                                          "E",     "uint8",   "float64", "uuid"};
      switch (random_.below(5)) {
        case 0:
          return "\"{" + of(one_of(kFrom)) + "}-{" + of("string") + "}\"";
        case 1:
          return (random_.one_in(2) ? "upper(" : "lower(") + of(type) + ")";
        case 2:
          return "substring(" + of(type) + ", " + of("int64") + ", " + of("int64") + ")";
        case 3:
          return of("list<string>") + "[" + of("int64") + "]";
        default:
          return "string(" + of(one_of(kFrom)) + ")";
      }
    }
    if (type == "duration") {
      switch (random_.below(5)) {
        case 0:
          return binary(of("timestamp(ms)"), "-",
                        of(random_.one_in(2) ? "timestamp(ms)" : "timestamp(us)"));
        case 1:
          return binary(of("date"), "-", of("date"));
        case 2:
          return binary(of(type), "*", of(random_.one_in(2) ? "int64" : "int8"));
        case 3:
          return "duration(" + of("int64") + ")";
        default:
          return binary(of(type), random_.one_in(2) ? "+" : "-", of(type));
      }
    }
    if (type.starts_with("timestamp")) {
      switch (random_.below(4)) {
        case 0:
        case 1:
          return binary(of(type), random_.one_in(2) ? "+" : "-", of("duration"));
        case 2:
          return type + "(" + of(random_.one_in(2) ? "timestamp(us)" : "timestamp(ms)") + ")";
        default:
          return type + "(" + of(random_.one_in(2) ? "date" : "int64") + ")";
      }
    }
    if (type == "date")
      return random_.one_in(2) ? binary(of(type), "+", random_.one_in(3) ? of("duration") : "3d")
                               : "date(@2024-02-29T12:00:00Z + " + of("duration") + " % 1000d)";
    if (type == "list<int64>" || type == "list<string>") {
      std::string element = type == "list<int64>" ? "int64" : "string";
      switch (random_.below(3)) {
        case 0:
          return mapped(of("list<int64>"), "map", "int64", element, depth);
        case 1:
          return mapped(of(type), "filter", element, "bool", depth);
        default:
          return "[" + of(element) + ", " + of(element) + "]";
      }
    }
    if (type == "E") return "E(" + of("string") + ")";
    return leaf(type);
  }

  std::string mapped(const std::string& list, const char* how, const std::string& element,
                     const std::string& result, int depth) {
    std::string name = "x" + std::to_string(lambdas_++);
    variables_.push_back({name, element});
    std::string body = value(result, depth - 1);
    variables_.pop_back();
    return list + "." + how + "(" + name + " => " + body + ")";
  }

  std::string made_bool(int depth) {
    auto of = [&](const std::string& wanted) { return value(wanted, depth - 1); };
    static const char* const kOrders[] = {"<", "<=", ">", ">=", "==", "!="};
    switch (random_.below(12)) {
      case 0:
        return binary(of("bool"), "and", of("bool"));
      case 1:
        return binary(of("bool"), "or", of("bool"));
      case 2:
        return "(not " + of("bool") + ")";
      case 3: {
        std::string type = one_of(kValues);
        return binary(of(type), random_.one_in(2) ? "==" : "!=", of(type));
      }
      case 4: {
        std::string type = one_of(kOrdered);
        return "(" + optional(type, depth) + (random_.one_in(2) ? " is null)" : " is not null)");
      }
      case 5: {
        std::string type = one_of(kOrdered);
        return binary(optional(type, depth),
                      random_.one_in(2) ? "==" : "!=", optional(type, depth));
      }
      case 6: {
        std::string type = one_of(kOrdered);
        return "(" + of(type) + " between " + of(type) + " and " + of(type) + ")";
      }
      case 7: {
        std::string type = one_of(kOrdered);
        return "(" + of(type) + (random_.one_in(2) ? " in [" : " not in [") + of(type) + ", " +
               literal(type) + "])";
      }
      case 8:
        return "(" + of("string") + (random_.one_in(2) ? " like \"a%\"" : " like \"%_漢%\"") + ")";
      case 9:
        return mapped(of("list<int64>"), random_.one_in(2) ? "any" : "all", "int64", "bool", depth);
      case 10:
        return (random_.one_in(2) ? "starts_with(" : "contains(") + of("string") + ", " +
               of("string") + ")";
      default: {
        std::string type = one_of(kOrdered);
        return binary(of(type), one_of(kOrders).c_str(), of(type));
      }
    }
  }

  static constexpr const char* kTexts[] = {"", "a", "abc", "漢", "12", "true", "red", "-7.50"};
  Random& random_;
  std::vector<Variable> variables_;
  int lambdas_ = 0;
};

std::string declared(const std::string& type, Random& random) {
  static const char* const kDecimals[] = {"decimal(10, 2)", "decimal(38, 10)", "decimal(18, 4)",
                                          "decimal(19, 0)", "decimal(3, 3)",   "decimal(30, 6)"};
  return type == "decimal" ? kDecimals[random.below(std::size(kDecimals))] : type;
}

}  // namespace

std::string RandomProgram::text() const {
  std::string all = head;
  for (const Stream& stream : streams) all += stream.text;
  return all;
}

RandomProgram random_program(Random& random, int streams) {
  RandomProgram program;
  std::vector<Variable> variables;
  std::string fields = "  id: int64\n";
  auto add = [&](const std::string& name, const std::string& type, bool optional) {
    variables.push_back({name, type, optional});
    fields += "  " + name + ": " + declared(type, random) + (optional ? "?" : "") + "\n";
  };
  for (size_t i = 0; i < std::size(kValues); ++i) {
    if (random.one_in(2)) add("f" + std::to_string(i), kValues[i], false);
    if (random.one_in(5)) add("o" + std::to_string(i), kValues[i], true);
  }
  add("m", "map<string, int64>", false);
  fields += "  r: Inner\n  ro: Inner?\n";
  program.head =
      "enum E { red, green, blue as \"B-1\" }\nrecord Inner { x: int32, y: string?, z: decimal(6, "
      "2) }\nrecord Row {\n" +
      fields +
      "}\nsource rows: Row = kafka(\"rows\") { format = json, on_error = dead_letter(\"bad\") }\n";
  variables.push_back({"r.x", "int32"});
  variables.push_back({"r.y", "string", true});
  variables.push_back({"r.z", "decimal"});
  variables.push_back({"ro?.x", "int32", true});
  variables.push_back({"ro?.z", "decimal", true});

  for (int i = 0; i < streams; ++i) {
    std::string name = "s" + std::to_string(i);
    Writer writer(random, variables);
    std::string text = "\nstream " + name + " = rows\n";
    auto where = [&] {
      // Simple ones are tested while a record is still being read.
      if (random.one_in(2))
        text += "  | where " + writer.condition(int(random.between(1, 3))) + "\n";
    };
    where();
    if (random.one_in(2)) {
      std::array<std::string, 2> types = {kValues[random.below(std::size(kValues))],
                                          kValues[random.below(std::size(kValues))]};
      text += "  | extend {\n";
      for (size_t n = 0; n < types.size(); ++n) {
        std::string made = "e" + std::to_string(n);
        text += "      " + made + " = " + writer.value(types[n], 3) + "\n";
        writer.add({made, types[n]});
      }
      text += "    }\n";
      where();
    }
    text += "  | select {\n      id\n";
    int items = int(random.between(1, 3));
    for (int n = 0; n < items; ++n) {
      std::string type = kValues[random.below(std::size(kValues))];
      text += "      c" + std::to_string(n) + " = " +
              (random.one_in(3) ? writer.optional(type, 3)
                                : writer.value(type, int(random.between(1, 4)))) +
              "\n";
    }
    if (random.one_in(4)) text += "      r\n";
    if (random.one_in(15)) text += "      whole = row\n";
    text +=
        "    }\nsink " + name + " -> kafka(\"out" + std::to_string(i) + "\") { format = json }\n";
    program.streams.push_back({name, text});
  }
  return program;
}

}  // namespace weir::differential
