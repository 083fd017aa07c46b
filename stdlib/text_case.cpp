// Case and normal forms of text, by ICU's tables. ASCII needs none of them.
#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>

#include <algorithm>
#include <string>

#include "stdlib/reasons.h"
#include "stdlib/text.h"
#include "stdlib/utf8.h"

using weir::stdlib::keep;
using weir::stdlib::view;

namespace {

WeirBytes map_ascii(WeirArena* arena, WeirBytes s, char first, char last) {
  char* to = weir_arena_take(arena, s.size);
  for (uint64_t i = 0; i < s.size; i++)
    to[i] = s.data[i] >= first && s.data[i] <= last ? char(s.data[i] ^ 0x20) : s.data[i];
  return {to, s.size};
}

// Bytes that are not UTF-8 become U+FFFD.
template <typename Map>
WeirBytes map_unicode(WeirArena* arena, WeirBytes s, Map map) {
  std::string result;
  icu::StringByteSink<std::string> sink(&result, int32_t(std::min<uint64_t>(s.size, INT32_MAX)));
  UErrorCode error = U_ZERO_ERROR;
  map(icu::StringPiece(s.data, int32_t(s.size)), sink, error);
  return U_FAILURE(error) ? s : keep(arena, result);
}

const icu::Normalizer2* normalizer(std::string_view form) {
  UErrorCode error = U_ZERO_ERROR;
  if (form == "NFC") return icu::Normalizer2::getNFCInstance(error);
  if (form == "NFD") return icu::Normalizer2::getNFDInstance(error);
  if (form == "NFKC") return icu::Normalizer2::getNFKCInstance(error);
  if (form == "NFKD") return icu::Normalizer2::getNFKDInstance(error);
  return nullptr;
}

}  // namespace

bool weir_text_is_ascii(WeirBytes s) {
  char all = 0;
  for (uint64_t i = 0; i < s.size; i++) all |= s.data[i];
  return (all & 0x80) == 0;
}

WeirBytes weir_text_lower(WeirArena* arena, WeirBytes s) {
  if (weir_text_is_ascii(s)) return map_ascii(arena, s, 'A', 'Z');
  return map_unicode(arena, s, [](icu::StringPiece text, icu::ByteSink& sink, UErrorCode& error) {
    icu::CaseMap::utf8ToLower("", 0, text, sink, nullptr, error);
  });
}

WeirBytes weir_text_upper(WeirArena* arena, WeirBytes s) {
  if (weir_text_is_ascii(s)) return map_ascii(arena, s, 'a', 'z');
  return map_unicode(arena, s, [](icu::StringPiece text, icu::ByteSink& sink, UErrorCode& error) {
    icu::CaseMap::utf8ToUpper("", 0, text, sink, nullptr, error);
  });
}

WeirBytes weir_text_fold_case(WeirArena* arena, WeirBytes s) {
  if (weir_text_is_ascii(s)) return map_ascii(arena, s, 'A', 'Z');
  return map_unicode(arena, s, [](icu::StringPiece text, icu::ByteSink& sink, UErrorCode& error) {
    icu::CaseMap::utf8Fold(0, text, sink, nullptr, error);
  });
}

WeirReason weir_text_normalize(WeirArena* arena, WeirBytes s, WeirBytes form, WeirBytes* result) {
  const icu::Normalizer2* by = normalizer(view(form));
  if (by == nullptr) return kReasonBadCast;
  *result = weir_text_is_ascii(s)
                ? s
                : map_unicode(arena, s,
                              [by](icu::StringPiece text, icu::ByteSink& sink, UErrorCode& error) {
                                by->normalizeUTF8(0, text, sink, nullptr, error);
                              });
  return 0;
}
