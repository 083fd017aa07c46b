// Cryptographic hashes, by OpenSSL, and bytes as text (crypto.weir).
#pragma once

#include "stdlib/call.h"

extern "C" {
WeirBytes weir_crypto_md5_bytes(WeirArena* arena, WeirBytes b);
WeirBytes weir_crypto_sha1_bytes(WeirArena* arena, WeirBytes b);
WeirBytes weir_crypto_sha256_bytes(WeirArena* arena, WeirBytes b);
WeirBytes weir_crypto_sha512_bytes(WeirArena* arena, WeirBytes b);
WeirBytes weir_crypto_hmac_sha256_bytes(WeirArena* arena, WeirBytes key, WeirBytes message);
WeirBytes weir_crypto_hex(WeirArena* arena, WeirBytes b);
WeirReason weir_crypto_from_hex(WeirArena* arena, WeirBytes s, WeirBytes* result);
WeirBytes weir_crypto_base64(WeirArena* arena, WeirBytes b);
WeirBytes weir_crypto_base64_url(WeirArena* arena, WeirBytes b);
WeirReason weir_crypto_from_base64(WeirArena* arena, WeirBytes s, WeirBytes* result);
WeirReason weir_crypto_utf8(WeirBytes b, WeirBytes* result);
weir_i128 weir_crypto_uuid5(weir_i128 space, WeirBytes name);
}
