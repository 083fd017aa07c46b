#include "runtime/state/value_merge.h"

#include "runtime/state/bytes.h"

namespace weir::runtime {

namespace {
constexpr char kList = 3;
}  // namespace

void merge_group(const KeyedInfo& info, char* into, const char* from, WeirArena* texts) {
  auto* header = reinterpret_cast<WeirGroupHeader*>(into);
  WeirGroupHeader before = *header, added = *reinterpret_cast<const WeirGroupHeader*>(from);
  info.merge(into, from, texts);
  header->changed = before.changed | added.changed;
  if (WeirReason error = before.error ? before.error : added.error) header->error = error;
}

ValueMerger::ValueMerger(const ValueMerge& merge) : merge_(merge) { blocks_.serve(&texts_); }

bool ValueMerger::add(std::string_view value) {
  if (is_value_list(value)) {
    ByteReader in(value.substr(1));
    while (in.ok() && !in.at_end()) {
      if (std::string_view one = in.take_text(); is_value_list(one) || !add(one)) return false;
    }
    return in.ok();
  }
  const std::string& initial = merge_.info->keyed->group_initial();
  std::vector<char>& group = any_ ? added_ : sum_;
  group.assign(initial.begin(), initial.end());
  if (!merge_.codec.decode(value, group.data(), &texts_)) return false;
  if (any_) merge_group(*merge_.info, sum_.data(), added_.data(), &texts_);
  any_ = true;
  return true;
}

void ValueMerger::finish(bool part, std::string* out) const {
  out->clear();
  merge_.codec.encode(sum_.data(), out, part);
}

bool is_value_list(std::string_view value) { return !value.empty() && value.front() == kList; }

void add_to_value_list(std::string_view value, std::string* list) {
  if (list->empty()) list->push_back(kList);
  if (is_value_list(value)) {
    list->append(value.substr(1));
  } else {
    put_text(*list, value);
  }
}

}  // namespace weir::runtime
