#include "stdlib/engine/key.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "stdlib/engine/arena_blocks.h"

namespace {
std::string put(const std::string& text) {
  std::string bytes(2 * text.size() + 2, '?');
  bytes.resize(size_t(weir_key_put_text(bytes.data(), text.data(), text.size()) - bytes.data()));
  return bytes;
}
}  // namespace

// Stored in state and changelogs: these bytes never change.
TEST_CASE("golden bytes of a text in front of other components") {
  CHECK(kKeyVersion == 1);
  CHECK(put("start") == std::string("start\0\0", 7));
  CHECK(put("") == std::string("\0\0", 2));
  CHECK(put(std::string("a\0b", 3)) == std::string("a\0\xFF"
                                                   "b\0\0",
                                                   6));
}

TEST_CASE("texts come back, and their bytes sort as they do") {
  weir::stdlib::ArenaBlocks blocks;
  WeirArena arena;
  blocks.serve(&arena);
  std::vector<std::string> texts = {"",
                                    std::string("\0", 1),
                                    std::string("\0\0", 2),
                                    std::string("\0\1", 2),
                                    "\1",
                                    "a",
                                    std::string("a\0", 2),
                                    std::string("a\0\xFF", 3),
                                    "ab",
                                    "\xFF"};
  for (size_t i = 0; i < texts.size(); i++) {
    std::string key = put(texts[i]) + "rest";
    WeirBytes text;
    const char* behind = weir_key_take_text(&arena, key.data(), key.data() + key.size(), &text);
    CHECK(std::string(text.data, text.size) == texts[i]);
    CHECK(std::string(behind) == "rest");
    if (i > 0) CHECK(put(texts[i - 1]) < put(texts[i]));
  }
}
