// The reasons of runtime/contract/reason.def that kernels give. (stdlib includes no other room; a
// test compares them.)
#pragma once

#include "stdlib/kernel.h"

inline constexpr WeirReason kReasonMalformed = 7001, kReasonMissingField = 7002,
                            kReasonNullField = 7003, kReasonWrongType = 7004,
                            kReasonOutOfRange = 7005, kReasonBadText = 7006, kReasonBadTime = 7007,
                            kReasonUnknownCase = 7008, kReasonOverflow = 7010,
                            kReasonDivisionByZero = 7011, kReasonBadCast = 7012,
                            kReasonIndexOutOfRange = 7013, kReasonTooLarge = 7015,
                            kReasonTooDeep = 7016;
