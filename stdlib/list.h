// Kernels of the module `list`.
#pragma once

#include "stdlib/kernel.h"

WEIR_INLINE_KERNEL int64_t weir_list_len(WeirList list) { return int64_t(list.count); }
