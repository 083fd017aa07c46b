// Functions of internet addresses (net.weir).
#pragma once

#include "stdlib/call.h"

extern "C" {
WeirReason weir_net_ip_version(WeirBytes s, int64_t* result);
WeirReason weir_net_normalize_ip(WeirArena* arena, WeirBytes s, WeirBytes* result);
WeirReason weir_net_in_network(WeirBytes ip, WeirBytes network, bool* result);
WeirReason weir_net_network_of(WeirArena* arena, WeirBytes ip, int64_t bits, WeirBytes* result);
WeirReason weir_net_ip_number(WeirBytes ip, int64_t* result);
WeirReason weir_net_ip_of_number(WeirArena* arena, int64_t number, WeirBytes* result);
WeirReason weir_net_is_private(WeirBytes ip, bool* result);
bool weir_net_is_network(WeirBytes s);
}
