// What declares the functions of native.def.
#pragma once

#include "stdlib/convert.h"
#include "stdlib/decimal.h"
#include "stdlib/engine/float_text.h"
#include "stdlib/engine/json_explain.h"
#include "stdlib/engine/json_order.h"
#include "stdlib/engine/json_read.h"
#include "stdlib/engine/json_text.h"
#include "stdlib/engine/json_write.h"
#include "stdlib/math.h"
#include "stdlib/text.h"
