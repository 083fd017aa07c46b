// All kernels, in one unit: compiled natively into weir_stdlib, and to bitcode.
#include "stdlib/engine/hash.h"
#include "stdlib/engine/output.h"
#include "stdlib/engine/panes.h"
