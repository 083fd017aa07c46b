// All kernels, in one unit: compiled natively into weir_stdlib, and to bitcode.
#include "stdlib/engine/hash.h"
#include "stdlib/engine/output.h"
#include "stdlib/engine/json_number.h"
#include "stdlib/engine/json_order.h"
#include "stdlib/engine/json_read.h"
#include "stdlib/engine/json_value.h"
#include "stdlib/engine/panes.h"
