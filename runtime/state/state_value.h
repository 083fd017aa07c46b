// The value of a group in a store and in the changelog (golden bytes: state_format_test.cpp):
//
//     | version u8 = 1, 2 | changed u32 | error u32 | fields in the order of the plan … |
//
// Version 1 is the group. Version 2 is a part of it: what has been added, to be merged with what is
// there (value_merge.h).
//
// A field is its presence byte if it is optional (1: there, 0: null and nothing follows), then its
// value: numbers in their own width, little endian; texts with a length in 32 bits, of those that
// grow (in the plan: bytes with a precision) what is used of them; stdlib/engine/bag.h has their
// own version. Nothing depends on where the compiler laid the field in memory, so a new layout
// reads old state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/contract/plan.pb.h"
#include "runtime/contract/stage_abi.h"
#include "runtime/status.h"

namespace weir::runtime {

inline constexpr uint32_t kEmissionsMax = 32;  // bits of WeirGroupHeader::changed

class StateValueCodec {
 public:
  // NotSupported for types that state can't hold yet.
  static Result<StateValueCodec> make(const contract::Keyed& keyed);
  void encode(const char* group, std::string* out, bool part = false) const;
  // Fills `group` (already a copy of the initial group), of a value or a part. Texts are copied to
  // `texts`. False: not such a value.
  bool decode(std::string_view bytes, char* group, WeirArena* texts) const;
  // A group's memory changes in place: two groups must not share it.
  bool grows() const { return grows_; }

 private:
  struct Field {
    uint32_t offset;
    int32_t presence;
    uint32_t width;  // 0: text
    bool grows;
  };
  std::vector<Field> fields_;
  bool grows_ = false;
  uint32_t changed_mask_ =
      0;  // an update sets all bits; stored are those of emissions that there are
};

// It has to be merged with what is there.
bool is_part(std::string_view value);

// Bytes of a value in memory, 0 for texts, −1 where there is no fixed form yet (records, lists,
// maps).
int32_t value_width(const contract::Type& type);

}  // namespace weir::runtime
