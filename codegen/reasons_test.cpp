// The reasons that kernels give have the numbers of runtime/contract/reason.def.
#include "stdlib/reasons.h"

#include <map>
#include <string_view>

#include <doctest/doctest.h>

TEST_CASE("kernels and the contract number reasons alike") {
  const std::map<std::string_view, WeirReason> contract = {
#define REASON(number, name, text) {#name, number},
#include "runtime/contract/reason.def"
#undef REASON
  };
  CHECK(contract.at("malformed") == kReasonMalformed);
  CHECK(contract.at("missing_field") == kReasonMissingField);
  CHECK(contract.at("null_field") == kReasonNullField);
  CHECK(contract.at("wrong_type") == kReasonWrongType);
  CHECK(contract.at("out_of_range") == kReasonOutOfRange);
  CHECK(contract.at("bad_text") == kReasonBadText);
  CHECK(contract.at("bad_time") == kReasonBadTime);
  CHECK(contract.at("unknown_case") == kReasonUnknownCase);
  CHECK(contract.at("overflow") == kReasonOverflow);
  CHECK(contract.at("division_by_zero") == kReasonDivisionByZero);
  CHECK(contract.at("bad_cast") == kReasonBadCast);
  CHECK(contract.at("too_deep") == kReasonTooDeep);
}
