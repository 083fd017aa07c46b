#include "runtime/frame_window.h"

#include "runtime/state/state_value.h"

namespace weir::runtime {

GroupPacker::GroupPacker(const contract::Keyed& keyed) : group_bytes_(keyed.group_bytes()) {
  for (const contract::StateField& field : keyed.state()) {
    if (value_width(field.type()) == 0) texts_.push_back({field.offset(), field.presence()});
  }
}

uint64_t GroupPacker::bytes(const char* group) const {
  uint64_t bytes = group_bytes_;
  for (const Text& text : texts_) {
    WeirBytes value;
    memcpy(&value, group + text.offset, sizeof value);
    if (text.presence < 0 || group[text.presence]) bytes += value.size;
  }
  return bytes;
}

PackedGroup GroupPacker::pack(const char* group) const {
  PackedGroup packed(new char[bytes(group)]);
  memcpy(packed.get(), group, group_bytes_);
  char* at = packed.get() + group_bytes_;
  for (const Text& text : texts_) {
    WeirBytes value{};
    if (text.presence < 0 || group[text.presence])
      memcpy(&value, group + text.offset, sizeof value);
    if (value.size > 0) memcpy(at, value.data, value.size);
    value.data = at;
    memcpy(packed.get() + text.offset, &value, sizeof value);
    at += value.size;
  }
  return packed;
}

Frame::Frame(const contract::Keyed& keyed, const contract::Rows::Frame& frame)
    : kind(frame.kind()), from_us(frame.from_us()), to_us(frame.to_us()), rows(frame.rows()) {
  for (uint32_t at : frame.state()) {
    const contract::StateField& field = keyed.state(int(at));
    int32_t width = value_width(field.type());
    pieces_.push_back({field.offset(), width > 0 ? uint32_t(width) : uint32_t(sizeof(WeirBytes))});
    if (field.presence() >= 0) pieces_.push_back({uint32_t(field.presence()), 1});
  }
}

void Frame::copy(const char* from, char* into) const {
  for (const Piece& piece : pieces_) memcpy(into + piece.offset, from + piece.offset, piece.size);
}

void FrameWindow::turn(const KeyedInfo& info, const std::vector<KeptRow>& rows, size_t begin,
                       size_t end) {
  const std::string& initial = info.keyed->group_initial();
  size_t size = initial.size();
  blocks_.reset(&texts_);
  suffixes_.resize((end - begin) * size);
  for (size_t at = end; at-- > begin;) {
    char* suffix = suffixes_.data() + (at - begin) * size;
    memcpy(suffix, at + 1 < end ? suffix + size : initial.data(), size);
    info.merge(suffix, rows[at - forgotten_].group.get(), &texts_);
  }
  tail_.assign(initial.begin(), initial.end());
  first_ = begin;
  line_ = end_ = end;
}

void FrameWindow::merge_into(const KeyedInfo& info, const std::vector<KeptRow>& rows, size_t begin,
                             size_t end, char* into, WeirArena* texts) {
  begin += forgotten_;
  end += forgotten_;
  if (begin >= line_) {
    turn(info, rows, begin, end);
  } else {
    for (; end_ < end; ++end_)
      info.merge(tail_.data(), rows[end_ - forgotten_].group.get(), &texts_);
  }
  if (begin < line_)
    info.merge(into, suffixes_.data() + (begin - first_) * info.keyed->group_bytes(), texts);
  if (end_ > line_) info.merge(into, tail_.data(), texts);
}

}  // namespace weir::runtime
