#include "stdlib/regex.h"

#include <re2/re2.h>

#include <algorithm>
#include <vector>

#include "stdlib/prepared.h"
#include "stdlib/reasons.h"
#include "stdlib/utf8.h"

using re2::RE2;
using re2::StringPiece;
using weir::stdlib::behind_character;
using weir::stdlib::bytes;
using weir::stdlib::keep;
using weir::stdlib::ListBuilder;
using weir::stdlib::view;

namespace {

struct Pattern {
  explicit Pattern(std::string_view text) : re(StringPiece(text.data(), text.size()), RE2::Quiet) {}
  RE2 re;
};

const RE2* pattern_of(WeirSite* site, WeirBytes pattern) {
  const RE2& re = weir::stdlib::Prepared<Pattern>::of(site, pattern).re;
  return re.ok() ? &re : nullptr;
}

StringPiece piece(WeirBytes text) { return {text.data, text.size}; }
WeirBytes part(const StringPiece& found) { return {found.data(), found.size()}; }

// Calls `found(groups)` for each find; of an empty one the next begins a character later.
template <typename Found>
void each(const RE2& re, WeirBytes s, int groups, Found found) {
  std::vector<StringPiece> parts;
  parts.resize(size_t(groups));
  const char* end = s.data + s.size;
  uint64_t from = 0;
  while (from <= s.size &&
         re.Match(piece(s), from, s.size, RE2::UNANCHORED, parts.data(), groups)) {
    if (!found(parts)) return;
    from = uint64_t(parts[0].data() + parts[0].size() - s.data);
    if (!parts[0].empty()) continue;
    if (from == s.size) return;
    from = uint64_t(behind_character(s.data + from, end) - s.data);
  }
}

// The replacement with its groups written out. An unknown group is nothing.
void rewrite(std::string& to, std::string_view by, const std::vector<StringPiece>& parts) {
  for (size_t i = 0; i < by.size(); i++) {
    if (by[i] != '\\' || i + 1 == by.size()) {
      to += by[i];
      continue;
    }
    char c = by[++i];
    if (c < '0' || c > '9') {
      to += c;
    } else if (size_t(c - '0') < parts.size() && parts[size_t(c - '0')].data() != nullptr) {
      to.append(parts[size_t(c - '0')].data(), parts[size_t(c - '0')].size());
    }
  }
}

WeirReason replaced(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes pattern, WeirBytes by,
                    bool all, WeirBytes* result) {
  const RE2* re = pattern_of(site, pattern);
  if (re == nullptr) return kReasonBadCast;
  std::string text;
  const char* taken = s.data;
  bool any = false;
  each(*re, s, std::min(re->NumberOfCapturingGroups(), 9) + 1, [&](const auto& parts) {
    any = true;
    text.append(taken, parts[0].data());
    rewrite(text, view(by), parts);
    taken = parts[0].data() + parts[0].size();
    return all && text.size() <= weir::stdlib::kTextBytesMax;
  });
  if (text.size() > weir::stdlib::kTextBytesMax) return kReasonTooLarge;
  text.append(taken, s.data + s.size);
  *result = any ? keep(arena, text) : s;
  return 0;
}

WeirReason group_at(const RE2& re, WeirBytes s, int number, WeirBytes* result) {
  std::vector<StringPiece> parts;
  parts.resize(size_t(number) + 1);
  if (!re.Match(piece(s), 0, s.size, RE2::UNANCHORED, parts.data(), number + 1) ||
      parts[size_t(number)].data() == nullptr)
    return kReasonAbsent;
  *result = part(parts[size_t(number)]);
  return 0;
}

}  // namespace

WeirReason weir_regex_matches(WeirArena*, WeirSite* site, WeirBytes s, WeirBytes pattern,
                              bool* result) {
  const RE2* re = pattern_of(site, pattern);
  if (re == nullptr) return kReasonBadCast;
  *result = re->Match(piece(s), 0, s.size, RE2::UNANCHORED, nullptr, 0);
  return 0;
}

WeirReason weir_regex_find(WeirArena*, WeirSite* site, WeirBytes s, WeirBytes pattern,
                           WeirBytes* result) {
  const RE2* re = pattern_of(site, pattern);
  return re == nullptr ? kReasonBadCast : group_at(*re, s, 0, result);
}

WeirReason weir_regex_find_all(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes pattern,
                               WeirList* result) {
  const RE2* re = pattern_of(site, pattern);
  if (re == nullptr) return kReasonBadCast;
  ListBuilder<WeirBytes> list(arena);
  each(*re, s, 1, [&](const auto& parts) {
    list.add(part(parts[0]));
    return true;
  });
  *result = list.list();
  return 0;
}

WeirReason weir_regex_group(WeirArena*, WeirSite* site, WeirBytes s, WeirBytes pattern,
                            int64_t number, WeirBytes* result) {
  const RE2* re = pattern_of(site, pattern);
  if (re == nullptr) return kReasonBadCast;
  if (number < 0 || number > re->NumberOfCapturingGroups()) return kReasonIndexOutOfRange;
  return group_at(*re, s, int(number), result);
}

WeirReason weir_regex_named(WeirArena*, WeirSite* site, WeirBytes s, WeirBytes pattern,
                            WeirBytes name, WeirBytes* result) {
  const RE2* re = pattern_of(site, pattern);
  if (re == nullptr) return kReasonBadCast;
  auto found = re->NamedCapturingGroups().find(std::string(view(name)));
  if (found == re->NamedCapturingGroups().end()) return kReasonIndexOutOfRange;
  return group_at(*re, s, found->second, result);
}

WeirReason weir_regex_groups(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes pattern,
                             WeirList* result) {
  const RE2* re = pattern_of(site, pattern);
  if (re == nullptr) return kReasonBadCast;
  ListBuilder<WeirBytes> list(arena);
  each(*re, s, re->NumberOfCapturingGroups() + 1, [&](const auto& parts) {
    for (size_t i = 1; i < parts.size(); i++)
      list.add(parts[i].data() == nullptr ? WeirBytes{"", 0} : part(parts[i]));
    return false;
  });
  *result = list.list();
  return 0;
}

WeirReason weir_regex_replace(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes pattern,
                              WeirBytes by, WeirBytes* result) {
  return replaced(arena, site, s, pattern, by, true, result);
}
WeirReason weir_regex_replace_first(WeirArena* arena, WeirSite* site, WeirBytes s,
                                    WeirBytes pattern, WeirBytes by, WeirBytes* result) {
  return replaced(arena, site, s, pattern, by, false, result);
}

WeirReason weir_regex_split(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes pattern,
                            WeirList* result) {
  const RE2* re = pattern_of(site, pattern);
  if (re == nullptr) return kReasonBadCast;
  ListBuilder<WeirBytes> list(arena);
  const char* taken = s.data;
  each(*re, s, 1, [&](const auto& parts) {
    if (parts[0].empty()) return true;
    list.add({taken, uint64_t(parts[0].data() - taken)});
    taken = parts[0].data() + parts[0].size();
    return true;
  });
  list.add({taken, uint64_t(s.data + s.size - taken)});
  *result = list.list();
  return 0;
}

WeirReason weir_regex_count(WeirArena*, WeirSite* site, WeirBytes s, WeirBytes pattern,
                            int64_t* result) {
  const RE2* re = pattern_of(site, pattern);
  if (re == nullptr) return kReasonBadCast;
  *result = 0;
  each(*re, s, 1, [&](const auto&) {
    ++*result;
    return true;
  });
  return 0;
}

WeirBytes weir_regex_escape(WeirArena* arena, WeirBytes s) {
  return keep(arena, RE2::QuoteMeta(piece(s)));
}

bool weir_regex_is_valid(WeirBytes s) { return Pattern(view(s)).re.ok(); }
