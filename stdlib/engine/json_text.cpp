#include "stdlib/engine/json_text.h"

WEIR_JSON_NATIVE bool weir_utf8_valid(const char* data, uint64_t size) {
  const char* end = data + size;
  while (data < end) {
    if (end - data >= 8 && (weir_load8(data) & 0x8080808080808080) == 0) {
      data += 8;
      continue;
    }
    auto byte = [&](int i) { return data + i < end ? uint8_t(data[i]) : uint8_t(0); };
    uint8_t first = byte(0), second = byte(1);
    int length;
    if (first < 0x80) {
      data++;
      continue;
    } else if (first >= 0xC2 && first <= 0xDF) {
      length = 2;
    } else if ((first & 0xF0) == 0xE0) {
      length = 3;
      if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return false;
    } else if (first >= 0xF0 && first <= 0xF4) {
      length = 4;
      if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return false;
    } else {
      return false;
    }
    for (int i = 1; i < length; i++) {
      if ((byte(i) & 0xC0) != 0x80) return false;
    }
    data += length;
  }
  return true;
}

// Up to four bytes of UTF-8; how many.
static int weir_utf8_write(char* to, uint32_t code) {
  if (code < 0x80) {
    to[0] = char(code);
    return 1;
  }
  if (code < 0x800) {
    to[0] = char(0xC0 | code >> 6);
    to[1] = char(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    to[0] = char(0xE0 | code >> 12);
    to[1] = char(0x80 | (code >> 6 & 0x3F));
    to[2] = char(0x80 | (code & 0x3F));
    return 3;
  }
  to[0] = char(0xF0 | code >> 18);
  to[1] = char(0x80 | (code >> 12 & 0x3F));
  to[2] = char(0x80 | (code >> 6 & 0x3F));
  to[3] = char(0x80 | (code & 0x3F));
  return 4;
}

int32_t weir_hex4(const char* p, const char* end) {
  if (end - p < 4) return -1;
  int32_t code = 0;
  for (int i = 0; i < 4; i++) {
    char c = p[i];
    int digit = c >= '0' && c <= '9'                     ? c - '0'
                : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                         : -1;
    if (digit < 0) return -1;
    code = code << 4 | digit;
  }
  return code;
}

WEIR_JSON_NATIVE int64_t weir_json_unescape(const char* from, const char* closing, char* to) {
  char* at = to;
  while (from < closing) {
    char c = *from++;
    if (uint8_t(c) < 0x20) return -1;
    if (c != '\\') {
      *at++ = c;
      continue;
    }
    if (from == closing) return -1;
    switch (*from++) {
      case '"':
        *at++ = '"';
        break;
      case '\\':
        *at++ = '\\';
        break;
      case '/':
        *at++ = '/';
        break;
      case 'b':
        *at++ = '\b';
        break;
      case 'f':
        *at++ = '\f';
        break;
      case 'n':
        *at++ = '\n';
        break;
      case 'r':
        *at++ = '\r';
        break;
      case 't':
        *at++ = '\t';
        break;
      case 'u': {
        int32_t code = weir_hex4(from, closing);
        if (code < 0) return -1;
        from += 4;
        if (code >= 0xDC00 && code <= 0xDFFF) return -1;
        if (code >= 0xD800 && code <= 0xDBFF) {
          if (closing - from < 6 || from[0] != '\\' || from[1] != 'u') return -1;
          int32_t low = weir_hex4(from + 2, closing);
          if (low < 0xDC00 || low > 0xDFFF) return -1;
          from += 6;
          code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        at += weir_utf8_write(at, uint32_t(code));
        break;
      }
      default:
        return -1;
    }
  }
  return at - to;
}

WEIR_JSON_NATIVE const char* weir_json_read_string(const char* p, const char* end, WeirArena* arena,
                                                   WeirBytes* text, WeirReason* reason) {
  const char* behind = weir_json_skip_string(p, end);
  if (behind == nullptr || behind > end) return nullptr;
  const char* from = p + 1;
  uint64_t size = uint64_t(behind - 1 - from);
  bool plain = true;
  for (uint64_t i = 0; i < size && plain; i++) plain = uint8_t(from[i]) >= 0x20 && from[i] != '\\';
  if (!weir_utf8_valid(from, size)) {
    *reason = kReasonBadText;
    return behind;
  }
  if (plain) {
    *text = {from, size};
    return behind;
  }
  char* to = weir_arena_take(arena, size);
  int64_t taken = weir_json_unescape(from, behind - 1, to);
  if (taken < 0) {
    *reason = kReasonBadText;
    return behind;
  }
  *text = {to, uint64_t(taken)};
  return behind;
}
