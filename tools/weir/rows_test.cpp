#include "tools/weir/rows.h"

#include <doctest/doctest.h>

namespace weir::tools {

TEST_CASE("numbers are equal by value, exactly") {
  CHECK(canonical_number("1.50") == canonical_number("15e-1"));
  CHECK(canonical_number("1000") == canonical_number("1E+3"));
  CHECK(canonical_number("-0.0") == "0");
  CHECK(canonical_number("0.0010") == "1e-3");
  CHECK(canonical_number("12345678901234567890.1") != canonical_number("12345678901234567890.2"));
}

TEST_CASE("a row matches by the fields that are written") {
  CHECK(compare_rows({R"({"a":1})"}, {R"({"b":2,"a":1.0})"}).empty());
  CHECK(compare_rows({R"({"a":null})"}, {R"({"b":2})"}).empty());
  CHECK_FALSE(compare_rows({R"({"a":"1"})"}, {R"({"a":1})"}).empty());
  CHECK_FALSE(compare_rows({}, {R"({"a":1})"}).empty());
}

TEST_CASE("as many pairs as possible are found") {
  // The first expectation takes either row, the second only the first.
  auto difference =
      compare_rows({R"({"a":1})", R"({"a":1,"b":1})"}, {R"({"a":1,"b":1})", R"({"a":1,"b":2})"});
  CHECK(difference.empty());
}

TEST_CASE("what is left over is named") {
  auto difference = compare_rows({R"({"a":1})"}, {R"({"a":2})"});
  CHECK(difference.missing.size() == 1);
  CHECK(difference.unexpected.size() == 1);
}

}  // namespace weir::tools
