#include "stdlib/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "stdlib/engine/json_text.h"
#include "stdlib/reasons.h"
#include "stdlib/utf8.h"

using weir::stdlib::view;

namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Looked up once: OpenSSL 3 searches its providers for each `EVP_sha256()` that is used.
const EVP_MD* algorithm(const char* name) { return EVP_MD_fetch(nullptr, name, nullptr); }

WeirBytes digest(WeirArena* arena, WeirBytes b, const EVP_MD* by) {
  auto* to = reinterpret_cast<unsigned char*>(weir_arena_take(arena, EVP_MAX_MD_SIZE));
  unsigned size = 0;
  if (EVP_Digest(b.data, b.size, to, &size, by, nullptr) != 1) __builtin_trap();
  return {reinterpret_cast<const char*>(to), size};
}

WeirBytes encode64(WeirArena* arena, WeirBytes b, std::string_view digits, bool padded) {
  char* to = weir_arena_take(arena, (b.size + 2) / 3 * 4);
  char* at = to;
  for (uint64_t i = 0; i < b.size; i += 3) {
    uint32_t group = 0;
    for (uint64_t j = 0; j < 3; j++)
      group = group << 8 | (i + j < b.size ? uint8_t(b.data[i + j]) : 0);
    for (uint64_t j = 0; j < 4; j++) {
      if (i + j <= b.size) {
        *at++ = digits[group >> (18 - 6 * j) & 63];
      } else if (padded) {
        *at++ = '=';
      }
    }
  }
  return {to, uint64_t(at - to)};
}

int digit64(char c) {
  if (c == '-') c = '+';
  if (c == '_') c = '/';
  size_t place = kBase64.find(c);
  return place == std::string_view::npos ? -1 : int(place);
}

int digit16(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

}  // namespace

WeirBytes weir_crypto_md5_bytes(WeirArena* arena, WeirBytes b) {
  static const EVP_MD* const by = algorithm("MD5");
  return digest(arena, b, by);
}
WeirBytes weir_crypto_sha1_bytes(WeirArena* arena, WeirBytes b) {
  static const EVP_MD* const by = algorithm("SHA1");
  return digest(arena, b, by);
}
WeirBytes weir_crypto_sha256_bytes(WeirArena* arena, WeirBytes b) {
  static const EVP_MD* const by = algorithm("SHA256");
  return digest(arena, b, by);
}
WeirBytes weir_crypto_sha512_bytes(WeirArena* arena, WeirBytes b) {
  static const EVP_MD* const by = algorithm("SHA512");
  return digest(arena, b, by);
}

WeirBytes weir_crypto_hmac_sha256_bytes(WeirArena* arena, WeirBytes key, WeirBytes message) {
  static const EVP_MD* const by = algorithm("SHA256");
  auto* to = reinterpret_cast<unsigned char*>(weir_arena_take(arena, EVP_MAX_MD_SIZE));
  unsigned size = 0;
  if (HMAC(by, key.data, int(key.size), reinterpret_cast<const unsigned char*>(message.data),
           message.size, to, &size) == nullptr)
    __builtin_trap();
  return {reinterpret_cast<const char*>(to), size};
}

WeirBytes weir_crypto_hex(WeirArena* arena, WeirBytes b) {
  char* to = weir_arena_take(arena, b.size * 2);
  for (uint64_t i = 0; i < b.size; i++) {
    to[2 * i] = kHex[uint8_t(b.data[i]) >> 4];
    to[2 * i + 1] = kHex[uint8_t(b.data[i]) & 15];
  }
  return {to, b.size * 2};
}

WeirReason weir_crypto_from_hex(WeirArena* arena, WeirBytes s, WeirBytes* result) {
  if (s.size % 2 != 0) return kReasonBadCast;
  char* to = weir_arena_take(arena, s.size / 2);
  for (uint64_t i = 0; i < s.size / 2; i++) {
    int high = digit16(s.data[2 * i]), low = digit16(s.data[2 * i + 1]);
    if (high < 0 || low < 0) return kReasonBadCast;
    to[i] = char(high * 16 + low);
  }
  *result = {to, s.size / 2};
  return 0;
}

WeirBytes weir_crypto_base64(WeirArena* arena, WeirBytes b) {
  return encode64(arena, b, kBase64, true);
}
WeirBytes weir_crypto_base64_url(WeirArena* arena, WeirBytes b) {
  return encode64(arena, b, kBase64Url, false);
}

WeirReason weir_crypto_from_base64(WeirArena* arena, WeirBytes s, WeirBytes* result) {
  std::string_view text = view(s);
  for (int i = 0; i < 2 && text.size() % 4 == 0 && text.ends_with('='); i++) {
    // A group keeps at least two digits.
    text.remove_suffix(1);
    if (text.size() % 4 != 3) continue;
    if (text.ends_with('=')) text.remove_suffix(1);
    break;
  }
  if (text.size() % 4 == 1) return kReasonBadCast;
  char* to = weir_arena_take(arena, text.size());
  char* at = to;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    int digit = digit64(c);
    if (digit < 0) return kReasonBadCast;
    bits = bits << 6 | uint32_t(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    *at++ = char(bits >> count);
  }
  // What is left over says nothing.
  if ((bits & ((1u << count) - 1)) != 0) return kReasonBadCast;
  *result = {to, uint64_t(at - to)};
  return 0;
}

WeirReason weir_crypto_utf8(WeirBytes b, WeirBytes* result) {
  if (!weir_utf8_valid(b.data, b.size)) return kReasonBadText;
  *result = b;
  return 0;
}

// RFC 9562, 5.5.
weir_i128 weir_crypto_uuid5(weir_i128 space, WeirBytes name) {
  static const EVP_MD* const by = algorithm("SHA1");
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  if (EVP_DigestInit_ex(context, by, nullptr) != 1 || EVP_DigestUpdate(context, &space, 16) != 1 ||
      EVP_DigestUpdate(context, name.data, name.size) != 1 ||
      EVP_DigestFinal_ex(context, hash, &size) != 1)
    __builtin_trap();
  EVP_MD_CTX_free(context);
  hash[6] = uint8_t((hash[6] & 0x0F) | 0x50);
  hash[8] = uint8_t((hash[8] & 0x3F) | 0x80);
  weir_i128 uuid;
  memcpy(&uuid, hash, 16);
  return uuid;
}
