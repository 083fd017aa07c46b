// What a call prepares once and uses again: a compiled pattern, a time zone. Kernels that are
// compiled natively only.
//
// A call's site keeps what its first call prepared, for as long as the process lives: a text that
// is constant is prepared once. Texts that change from row to row are kept by each thread, the
// latest of them.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "stdlib/call.h"
#include "stdlib/utf8.h"

namespace weir::stdlib {

template <typename Value>
class Prepared {
 public:
  // The value that was made of `text`; `Value(std::string_view)` makes it, and does not throw.
  static const Value& of(WeirSite* site, WeirBytes text) {
    auto* first = static_cast<const Prepared*>(__atomic_load_n(&site->prepared, __ATOMIC_ACQUIRE));
    if (first == nullptr) first = keep(site, text);
    return first->text_ == view(text) ? first->value_ : of_thread(text);
  }

 private:
  using Table = std::unordered_map<std::string, std::unique_ptr<const Prepared>>;
  static constexpr size_t kPerThreadMax = 256;

  explicit Prepared(std::string_view text) : text_(text), value_(text_) {}

  // One of each text in the process, never removed: there are no more of them than sites.
  static const Prepared* keep(WeirSite* site, WeirBytes text) {
    static std::mutex mutex;
    static Table* const kept = new Table;
    std::lock_guard lock(mutex);
    auto& entry = (*kept)[std::string(view(text))];
    if (entry == nullptr) entry.reset(new Prepared(view(text)));
    // Of two threads that came first, one finds the other's.
    const void* none = nullptr;
    __atomic_compare_exchange_n(&site->prepared, &none, entry.get(), false, __ATOMIC_ACQ_REL,
                                __ATOMIC_ACQUIRE);
    return none == nullptr ? entry.get() : static_cast<const Prepared*>(none);
  }

  static const Value& of_thread(WeirBytes text) {
    thread_local Table table;
    auto found = table.find(std::string(view(text)));
    if (found == table.end()) {
      if (table.size() >= kPerThreadMax) table.clear();
      found = table.emplace(view(text), new Prepared(view(text))).first;
    }
    return found->second->value_;
  }

  std::string text_;
  Value value_;
};

}  // namespace weir::stdlib
