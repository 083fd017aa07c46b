// The compressions that a record batch can have, by their own libraries. What comes out is bounded:
// a few bytes can claim to be terabytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/connectors/kafka/fetch/buffer.h"

namespace weir::runtime::kafka::fetch {

enum class Codec : uint8_t { None = 0, Gzip = 1, Snappy = 2, Lz4 = 3, Zstd = 4 };

enum class Decompressed : uint8_t { Done, Damaged, TooLarge, UnknownCodec };
// On any thread; `to` is new memory of the pool.
Decompressed decompress(Codec codec, std::string_view from, size_t bytes_max, BufferPool& pool,
                        BufferRef& to);

}  // namespace weir::runtime::kafka::fetch
