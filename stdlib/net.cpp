#include "stdlib/net.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <string>

#include "stdlib/reasons.h"
#include "stdlib/utf8.h"

using weir::stdlib::keep;
using weir::stdlib::view;

namespace {

struct Address {
  std::array<uint8_t, 16> bytes{};
  int bits = 0;  // 32, 128
};

// No zone, no leading zeros, nothing around it.
bool read_address(std::string_view text, Address& address) {
  char terminated[INET6_ADDRSTRLEN + 1];
  if (text.size() > INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return false;
  terminated[text.copy(terminated, text.size())] = 0;
  address.bits = 32;
  if (inet_pton(AF_INET, terminated, address.bytes.data()) == 1) return true;
  address.bits = 128;
  return inet_pton(AF_INET6, terminated, address.bytes.data()) == 1;
}

bool read_network(std::string_view text, Address& address, int& bits) {
  size_t slash = text.find('/');
  if (slash == std::string_view::npos || !read_address(text.substr(0, slash), address))
    return false;
  const char* end = text.data() + text.size();
  auto read = std::from_chars(text.data() + slash + 1, end, bits);
  return read.ec == std::errc() && read.ptr == end && bits >= 0 && bits <= address.bits;
}

bool same_bits(const Address& a, const Address& b, int bits) {
  if (a.bits != b.bits) return false;
  for (int i = 0; i < bits; i += 8) {
    int mask = bits - i >= 8 ? 0xFF : 0xFF00 >> (bits - i) & 0xFF;
    if (((a.bytes[size_t(i / 8)] ^ b.bytes[size_t(i / 8)]) & mask) != 0) return false;
  }
  return true;
}

WeirBytes write_address(WeirArena* arena, const Address& address, const char* behind = "") {
  char text[INET6_ADDRSTRLEN + 8];
  inet_ntop(address.bits == 32 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text);
  return keep(arena, std::string(text) + behind);
}

// ::ffff:a.b.c.d
Address unmapped(const Address& address) {
  static constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (address.bits != 128 || memcmp(address.bytes.data(), kMapped.data(), 12) != 0) return address;
  Address inner;
  inner.bits = 32;
  memcpy(inner.bytes.data(), address.bytes.data() + 12, 4);
  return inner;
}

}  // namespace

WeirReason weir_net_ip_version(WeirBytes s, int64_t* result) {
  Address address;
  if (!read_address(view(s), address)) return kReasonAbsent;
  *result = address.bits == 32 ? 4 : 6;
  return 0;
}

WeirReason weir_net_normalize_ip(WeirArena* arena, WeirBytes s, WeirBytes* result) {
  Address address;
  if (!read_address(view(s), address)) return kReasonBadCast;
  *result = write_address(arena, unmapped(address));
  return 0;
}

WeirReason weir_net_in_network(WeirBytes ip, WeirBytes network, bool* result) {
  Address address, of;
  int bits;
  if (!read_address(view(ip), address) || !read_network(view(network), of, bits))
    return kReasonBadCast;
  *result = same_bits(address, of, bits);
  return 0;
}

bool weir_net_is_network(WeirBytes s) {
  Address address;
  int bits;
  return read_network(view(s), address, bits);
}

WeirReason weir_net_network_of(WeirArena* arena, WeirBytes ip, int64_t bits, WeirBytes* result) {
  Address address;
  if (!read_address(view(ip), address)) return kReasonBadCast;
  if (bits < 0 || bits > address.bits) return kReasonOutOfRange;
  for (int i = 0; i < address.bits; i++) {
    if (i >= bits) address.bytes[size_t(i / 8)] &= uint8_t(~(0x80 >> i % 8));
  }
  *result = write_address(arena, address, ("/" + std::to_string(bits)).c_str());
  return 0;
}

WeirReason weir_net_ip_number(WeirBytes ip, int64_t* result) {
  Address address;
  if (!read_address(view(ip), address) || address.bits != 32) return kReasonBadCast;
  *result = 0;
  for (size_t i = 0; i < 4; i++) *result = *result << 8 | address.bytes[i];
  return 0;
}

WeirReason weir_net_ip_of_number(WeirArena* arena, int64_t number, WeirBytes* result) {
  if (number < 0 || number > 0xFFFFFFFF) return kReasonOutOfRange;
  Address address;
  address.bits = 32;
  for (size_t i = 0; i < 4; i++) address.bytes[i] = uint8_t(number >> (24 - 8 * i));
  *result = write_address(arena, address);
  return 0;
}

WeirReason weir_net_is_private(WeirBytes ip, bool* result) {
  Address address;
  if (!read_address(view(ip), address)) return kReasonBadCast;
  address = unmapped(address);
  *result = false;
  // RFC 1918, 6598 (shared), 3927 and 4291 (links, this machine), 4193.
  for (std::string_view range :
       {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8",
        "169.254.0.0/16", "0.0.0.0/8", "::1/128", "::/128", "fc00::/7", "fe80::/10"}) {
    Address of;
    int bits;
    *result |= read_network(range, of, bits) && same_bits(address, of, bits);
  }
  return 0;
}
