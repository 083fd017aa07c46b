#include "runtime/connectors/kafka/fetch/decompress.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "runtime/connectors/kafka/fetch/wire.h"

namespace weir::runtime::kafka::fetch {
namespace {

// Memory that grows as the result turns out larger than it was guessed.
class Output {
 public:
  Output(BufferPool& pool, size_t guess, size_t bytes_max)
      : pool_(pool),
        bytes_max_(bytes_max),
        buffer_(pool.take(std::clamp<size_t>(guess, 1, bytes_max))) {}

  char* at() { return buffer_->data() + buffer_->size; }
  size_t room() const { return std::min(buffer_->capacity(), bytes_max_) - buffer_->size; }
  void wrote(size_t bytes) { buffer_->size += bytes; }
  // False: the limit is reached.
  bool grow(size_t more = 0) {
    if (room() > more) return true;
    size_t wanted = std::max(buffer_->capacity() * 2, buffer_->size + more);
    if (buffer_->size + std::max<size_t>(more, 1) > bytes_max_) return false;
    BufferRef larger = pool_.take(std::min(wanted, bytes_max_));
    std::memcpy(larger->data(), buffer_->data(), buffer_->size);
    larger->size = buffer_->size;
    buffer_ = std::move(larger);
    return true;
  }
  BufferRef take() { return std::move(buffer_); }

 private:
  BufferPool& pool_;
  size_t bytes_max_;
  BufferRef buffer_;
};

// A library's context, made once for each thread that decompresses.
template <class Context, auto destroy>
struct Owned {
  Context context{};
  ~Owned() { destroy(context); }
};

Decompressed gunzip(std::string_view from, size_t bytes_max, BufferPool& pool, BufferRef& to) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return Decompressed::Damaged;  // 16: gzip's header
  std::unique_ptr<z_stream, decltype(&inflateEnd)> ends(&stream, &inflateEnd);
  // The last four bytes are the size, little-endian, if they are to be believed.
  uint32_t size = 0;
  if (from.size() > 4) std::memcpy(&size, from.data() + from.size() - 4, 4);
  Output output(pool, std::min<size_t>(size_t(size) + 1, from.size() * 32), bytes_max);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data()));
  stream.avail_in = uInt(from.size());
  while (true) {
    if (!output.grow()) return Decompressed::TooLarge;
    size_t room = output.room();
    stream.next_out = reinterpret_cast<Bytef*>(output.at());
    stream.avail_out = uInt(room);
    int result = inflate(&stream, Z_NO_FLUSH);
    output.wrote(room - stream.avail_out);
    if (result == Z_STREAM_END) break;
    if (result != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0))
      return Decompressed::Damaged;
  }
  to = output.take();
  return Decompressed::Done;
}

Decompressed one_snappy(std::string_view from, Output& output) {
  size_t size = 0;
  if (snappy_uncompressed_length(from.data(), from.size(), &size) != SNAPPY_OK)
    return Decompressed::Damaged;
  if (!output.grow(size)) return Decompressed::TooLarge;
  if (snappy_uncompress(from.data(), from.size(), output.at(), &size) != SNAPPY_OK)
    return Decompressed::Damaged;
  output.wrote(size);
  return Decompressed::Done;
}

// Java clients write blocks, each behind its length, with a header of 16 bytes in front
// (snappy-java, "xerial"); others write one block and nothing else.
Decompressed unsnappy(std::string_view from, size_t bytes_max, BufferPool& pool, BufferRef& to) {
  constexpr std::string_view kMagic{"\x82SNAPPY\0", 8};
  constexpr size_t kHeaderBytes = 16;
  Output output(pool, from.size() * 3, bytes_max);
  if (!from.starts_with(kMagic)) {
    Decompressed done = one_snappy(from, output);
    to = output.take();
    return done;
  }
  if (from.size() < kHeaderBytes) return Decompressed::Damaged;
  WireReader blocks(from.substr(kHeaderBytes));
  while (blocks.left() > 0) {
    std::string_view block = blocks.bytes();
    if (!blocks.ok() || block.empty()) return Decompressed::Damaged;
    if (Decompressed done = one_snappy(block, output); done != Decompressed::Done) return done;
  }
  to = output.take();
  return Decompressed::Done;
}

Decompressed unlz4(std::string_view from, size_t bytes_max, BufferPool& pool, BufferRef& to) {
  thread_local Owned<LZ4F_dctx*, &LZ4F_freeDecompressionContext> owned;
  if (owned.context == nullptr &&
      LZ4F_isError(LZ4F_createDecompressionContext(&owned.context, LZ4F_VERSION))) {
    return Decompressed::Damaged;
  }
  LZ4F_resetDecompressionContext(owned.context);
  LZ4F_frameInfo_t info{};
  size_t read = from.size();
  if (LZ4F_isError(LZ4F_getFrameInfo(owned.context, &info, from.data(), &read)))
    return Decompressed::Damaged;
  size_t guess = info.contentSize > 0 ? std::min<uint64_t>(info.contentSize + 1, from.size() * 256)
                                      : from.size() * 4;
  Output output(pool, guess, bytes_max);
  const char* at = from.data() + read;
  const char* end = from.data() + from.size();
  while (true) {
    if (!output.grow()) return Decompressed::TooLarge;
    size_t taken = size_t(end - at), made = output.room();
    size_t left = LZ4F_decompress(owned.context, output.at(), &made, at, &taken, nullptr);
    if (LZ4F_isError(left)) return Decompressed::Damaged;
    at += taken;
    output.wrote(made);
    if (left == 0) break;
    if (taken == 0 && made == 0) return Decompressed::Damaged;  // the rest is missing
  }
  to = output.take();
  return Decompressed::Done;
}

Decompressed unzstd(std::string_view from, size_t bytes_max, BufferPool& pool, BufferRef& to) {
  thread_local Owned<ZSTD_DCtx*, &ZSTD_freeDCtx> owned;
  if (owned.context == nullptr) owned.context = ZSTD_createDCtx();
  if (owned.context == nullptr) return Decompressed::Damaged;
  ZSTD_DCtx_reset(owned.context, ZSTD_reset_session_only);
  uint64_t size = ZSTD_getFrameContentSize(from.data(), from.size());
  if (size == ZSTD_CONTENTSIZE_ERROR) return Decompressed::Damaged;
  bool known = size != ZSTD_CONTENTSIZE_UNKNOWN;
  if (known && size > bytes_max) return Decompressed::TooLarge;
  // A claimed size is believed as far as it is likely.
  Output output(pool,
                known ? std::min<size_t>(size + 1, (from.size() + 1024) * 256) : from.size() * 4,
                bytes_max);
  ZSTD_inBuffer in{from.data(), from.size(), 0};
  while (true) {
    if (!output.grow()) return Decompressed::TooLarge;
    ZSTD_outBuffer out{output.at(), output.room(), 0};
    size_t before = in.pos;
    size_t left = ZSTD_decompressStream(owned.context, &out, &in);
    if (ZSTD_isError(left)) return Decompressed::Damaged;
    output.wrote(out.pos);
    if (left == 0) break;
    if (out.pos == 0 && in.pos == before) return Decompressed::Damaged;  // the rest is missing
  }
  to = output.take();
  return Decompressed::Done;
}

}  // namespace

Decompressed decompress(Codec codec, std::string_view from, size_t bytes_max, BufferPool& pool,
                        BufferRef& to) {
  switch (codec) {
    case Codec::Gzip:
      return gunzip(from, bytes_max, pool, to);
    case Codec::Snappy:
      return unsnappy(from, bytes_max, pool, to);
    case Codec::Lz4:
      return unlz4(from, bytes_max, pool, to);
    case Codec::Zstd:
      return unzstd(from, bytes_max, pool, to);
    case Codec::None:
      break;
  }
  return Decompressed::UnknownCodec;
}

}  // namespace weir::runtime::kafka::fetch
