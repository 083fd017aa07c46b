// Rules and types become pieces. Every value is followed by a comma; what closes a record or a list
// takes the last comma's place, so that fields which are absent leave nothing behind.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "runtime/connectors/generate/row_writer.h"

namespace weir::runtime {
namespace {

constexpr uint64_t kListItemsMax = 3;
constexpr int kDepthMax = 16;
constexpr size_t kNumberBytesMax = 40;  // also instants and uuids

using contract::Type;

std::vector<std::string> words_of(const std::string& rule) {
  std::vector<std::string> words(1);
  int depth = 0;
  for (char c : rule) {
    depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (c == ' ' && depth == 0) {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

template <class T>
bool read_number(std::string_view text, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      snprintf(code, sizeof code, "\\u%04x", c);
      out += code;
    } else {
      out += c;
    }
  }
  return out;
}

bool is_text(Type::Kind kind) {
  return kind == Type::STRING || kind == Type::BYTES || kind == Type::UUID || kind == Type::DATE ||
         kind == Type::ENUM;
}

}  // namespace

class RowCompiler {
 public:
  using Piece = RowWriter::Piece;
  using Kind = Piece::Kind;

  RowCompiler(const contract::Plan& plan, const std::map<std::string, std::string>& rules,
              double null_share)
      : plan_(plan), rules_(rules), null_share_(null_share) {}

  Result<RowWriter> compile(uint32_t record) {
    row_bytes_ = write_record(record, "", 0);
    for (const auto& [name, rule] : rules_) {
      if (!used_.contains(name)) wrong(name, "the record has no such field");
    }
    if (!status_.ok()) return status_;
    out_.row_bytes_max_ =
        row_bytes_ + kNumberBytesMax;  // numbers are written through wider windows
    return out_;
  }

 private:
  // Each returns how many bytes it writes at most.
  size_t write_record(uint32_t record, const std::string& path, int depth) {
    if (depth > kDepthMax) {
      wrong(path, "records that contain themselves can't be generated");
      return 0;
    }
    size_t bytes = text("{");
    for (const contract::Field& field : plan_.records(static_cast<int>(record)).fields()) {
      bytes += write_field(field, path + field.name(), depth);
    }
    return bytes + close("}");
  }

  size_t write_field(const contract::Field& field, const std::string& path, int depth) {
    const std::string& wire = field.wire_name().empty() ? field.name() : field.wire_name();
    auto rule = rules_.find(path);
    std::vector<std::string> words;
    if (rule != rules_.end()) {
      used_.insert(path);
      words = words_of(rule->second);
    }
    double null_share = field.type().optional() ? null_share_ : 0;
    double absent_share = 0;
    std::erase_if(words, [&](const std::string& word) {
      bool is_null = word.starts_with("null:");
      if (!is_null && !word.starts_with("absent:")) return false;
      double share = 0;
      if (!read_number(std::string_view(word).substr(word.find(':') + 1), share) ||
          !(share >= 0 && share <= 1)) {
        wrong(path, "`" + word + "` is not a share from 0 to 1");
        share = 0;
      }
      (is_null ? null_share : absent_share) = share;
      return true;
    });
    size_t absent = unless(absent_share, "");
    size_t bytes = text("\"" + escaped(wire) + "\":");
    size_t null = unless(null_share, "null,");
    bytes += write_value(field.type(), words, path, depth) + text(",");
    end_unless(null);
    end_unless(absent);
    return bytes + 5;
  }

  size_t write_value(const Type& type, const std::vector<std::string>& words,
                     const std::string& path, int depth) {
    if (type.kind() == Type::RECORD && words.empty())
      return write_record(type.ref(), path + ".", depth + 1);
    if (type.kind() == Type::LIST && words.empty()) {
      size_t bytes = text("[");
      Piece repeat{.kind = Kind::Repeat};
      repeat.bound = kListItemsMax;
      size_t at = add(repeat);
      size_t item = write_value(type.element(), {}, path, depth + 1) + text(",");
      out_.pieces_[at].end = out_.pieces_.size();
      return bytes + kListItemsMax * item + close("]");
    }
    size_t bytes = is_text(type.kind()) ? text("\"") : 0;
    bytes += words.empty() ? write_default(type, path) : write_rule(type, words, path);
    return bytes + (is_text(type.kind()) ? text("\"") : 0);
  }

  size_t write_default(const Type& type, const std::string& path) {
    switch (type.kind()) {
      case Type::BOOL:
        return choice({{"true", 1}, {"false", 1}});
      case Type::FLOAT32:
      case Type::FLOAT64:
        return write_rule(type, {"uniform", "0.00", "100.00"}, path);
      case Type::DECIMAL: {
        std::string digits(std::min(type.scale(), 9u), '0');
        bool has_whole = type.precision() > type.scale();
        return write_rule(type,
                          {"uniform", "0" + (digits.empty() ? "" : "." + digits),
                           (has_whole ? "9" : "0") + (digits.empty() ? "" : "." + digits)},
                          path);
      }
      case Type::STRING:
        return text(escaped(path.substr(path.rfind('.') + 1)) + "-") +
               generator({"zipf", "1000"}, type, path);
      case Type::BYTES:
        return text("AAAA");
      case Type::UUID:
        return generator({"uuid"}, type, path);
      case Type::DATE:
      case Type::TIMESTAMP:
        return generator({"clock"}, type, path);
      case Type::JSON:
      case Type::MAP:
        return text("{}");
      case Type::ENUM: {
        const contract::Enum& cases = plan_.enums(static_cast<int>(type.ref()));
        std::vector<std::pair<std::string, uint64_t>> names;
        for (int i = 0; i < cases.cases_size(); i++) {
          names.emplace_back(i < cases.wire_names_size() && !cases.wire_names(i).empty()
                                 ? cases.wire_names(i)
                                 : cases.cases(i),
                             1);
        }
        return choice(names);
      }
      default:
        return generator({"uniform", "0", "100"}, type, path);
    }
  }

  size_t write_rule(const Type& type, const std::vector<std::string>& words,
                    const std::string& path) {
    if (is_generator(words[0])) return generator(words, type, path);
    std::vector<std::pair<std::string, uint64_t>> weighted;
    for (const std::string& word : words) {
      size_t colon = word.rfind(':');
      uint64_t weight = 0;
      if (colon == std::string::npos ||
          !read_number(std::string_view(word).substr(colon + 1), weight))
        break;
      weighted.emplace_back(word.substr(0, colon), weight);
    }
    if (weighted.size() == words.size()) return choice(weighted);
    std::string whole = words[0];
    for (size_t i = 1; i < words.size(); i++) whole += " " + words[i];
    size_t bytes = 0;
    for (size_t at = 0; at < whole.size();) {
      size_t open = whole.find('{', at);
      size_t close = open == std::string::npos ? open : whole.find('}', open);
      bytes += text(escaped(whole.substr(at, open - at)));
      if (close == std::string::npos) {
        if (open != std::string::npos) wrong(path, "`{` without `}`");
        break;
      }
      bytes += generator(words_of(whole.substr(open + 1, close - open - 1)), type, path);
      at = close + 1;
    }
    return bytes;
  }

  static bool is_generator(const std::string& word) {
    return word == "clock" || word == "uniform" || word == "zipf" || word == "uuid" ||
           word == "row" || word == "partition";
  }

  size_t generator(const std::vector<std::string>& words, const Type& type,
                   const std::string& path) {
    Piece piece;
    std::string name = words.empty() ? "" : words[0];
    size_t wanted = name == "uniform" ? 3 : name == "zipf" ? 2 : 1;
    if (!is_generator(name) || words.size() != wanted) {
      wrong(
          path,
          "`" + name +
              "` is none of `clock`, `uniform LOW HIGH`, `zipf COUNT`, `uuid`, `row`, `partition`");
      return 0;
    }
    if (name == "uuid") piece.kind = Kind::Uuid;
    if (name == "row") piece.kind = Kind::Row;
    if (name == "partition") piece.kind = Kind::Partition;
    if (name == "clock") set_clock(piece, type);
    if (name == "zipf") {
      piece.kind = Kind::Zipf;
      if (!read_number(words[1], piece.low) || piece.low < 1 || piece.low > 1'000'000'000) {
        wrong(path, "`zipf` wants a count from 1 to 1000000000");
        return 0;
      }
      piece.bound = static_cast<uint64_t>(
          std::llround(std::log2(static_cast<double>(piece.low + 1)) * 4294967296.0));
    }
    if (name == "uniform" && !set_uniform(piece, words[1], words[2])) {
      wrong(path, "`uniform` wants two numbers, the smaller one first");
      return 0;
    }
    add(std::move(piece));
    return kNumberBytesMax;
  }

  static void set_clock(Piece& piece, const Type& type) {
    piece.kind = Kind::Clock;
    piece.divisor = 1000;  // milliseconds, also for plain numbers
    if (type.kind() == Type::DATE) piece.kind = Kind::ClockDate;
    if (type.kind() == Type::STRING) piece.kind = Kind::ClockText;
    if (type.kind() == Type::TIMESTAMP && type.unit() == Type::MICRO) piece.divisor = 1;
    if (type.kind() == Type::TIMESTAMP && type.unit() == Type::NANO) piece.divisor = 0;
  }

  static bool set_uniform(Piece& piece, const std::string& low, const std::string& high) {
    auto digits_of = [](const std::string& number) {
      size_t point = number.find('.');
      return point == std::string::npos ? 0 : static_cast<int>(number.size() - point - 1);
    };
    piece.kind = Kind::Uniform;
    piece.digits = std::max(digits_of(low), digits_of(high));
    if (piece.digits > 9) return false;
    for (int i = 0; i < piece.digits; i++) piece.divisor *= 10;
    double from = 0, to = 0;
    if (!read_number(low, from) || !read_number(high, to) || from > to) return false;
    if (std::max(std::abs(from), std::abs(to)) * static_cast<double>(piece.divisor) > 4e18)
      return false;
    piece.low = std::llround(from * static_cast<double>(piece.divisor));
    piece.bound =
        static_cast<uint64_t>(std::llround(to * static_cast<double>(piece.divisor)) - piece.low) +
        1;
    return true;
  }

  size_t choice(const std::vector<std::pair<std::string, uint64_t>>& weighted) {
    Piece piece{.kind = Kind::Choice};
    size_t longest = 0;
    for (const auto& [name, weight] : weighted) {
      piece.bound += weight;
      piece.choices.emplace_back(piece.bound, escaped(name));
      longest = std::max(longest, piece.choices.back().second.size());
    }
    if (piece.bound == 0) {
      wrong("", "weights that are all 0 choose nothing");
      return 0;
    }
    add(std::move(piece));
    return longest;
  }

  size_t text(const std::string& what) {
    // Jumps lead behind the last piece, so only text that no jump leads to may be joined.
    bool joins = !out_.pieces_.empty() && out_.pieces_.back().kind == Kind::Text &&
                 out_.pieces_.size() > barrier_;
    if (joins)
      out_.pieces_.back().text += what;
    else
      add({.kind = Kind::Text, .text = what});
    return what.size();
  }
  size_t close(const std::string& what) {
    add({.kind = Kind::Close, .text = what});
    return what.size();
  }
  size_t unless(double share, const std::string& otherwise) {
    if (share <= 0) return SIZE_MAX;
    Piece piece{.kind = Kind::Unless, .text = otherwise};
    piece.share = RowRandom::share_of(share);
    return add(std::move(piece));
  }
  void end_unless(size_t at) {
    if (at == SIZE_MAX) return;
    out_.pieces_[at].end = out_.pieces_.size();
    barrier_ = out_.pieces_.size();
  }
  size_t add(Piece piece) {
    out_.pieces_.push_back(std::move(piece));
    return out_.pieces_.size() - 1;
  }
  void wrong(const std::string& path, const std::string& why) {
    if (status_.ok())
      status_ = Status::error(Exit::Configuration, "option `fields." + path + "`: " + why);
  }

  const contract::Plan& plan_;
  const std::map<std::string, std::string>& rules_;
  double null_share_;
  std::set<std::string> used_;
  RowWriter out_;
  size_t row_bytes_ = 0;
  size_t barrier_ = 0;
  Status status_;
};

Result<RowWriter> RowWriter::compile(const contract::Plan& plan, uint32_t record,
                                     const std::map<std::string, std::string>& rules,
                                     double null_share) {
  return RowCompiler(plan, rules, null_share).compile(record);
}

}  // namespace weir::runtime
