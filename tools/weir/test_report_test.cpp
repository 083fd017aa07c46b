#include "tools/weir/test_report.h"

#include <doctest/doctest.h>

namespace weir::tools {
namespace {

TEST_CASE("a missing row is shown beside the one that was meant") {
  RowDifference difference;
  difference.missing = {R"({"type":"start","n":2})", R"({"type":"stop","n":1})"};
  difference.unexpected = {R"({"type":"start","n":3,"w":0})", R"({"type":"pause","n":9})"};
  CHECK(difference_text(difference) ==
        "    - { type = \"start\", n = 2 }\n"
        "    + { type = \"start\", n = 3, w = 0 }\n"
        "      n: expected 2, found 3\n"
        "    - { type = \"stop\", n = 1 }\n"
        "    + { type = \"pause\", n = 9 }\n");
}

TEST_CASE("numbers that are written otherwise do not differ") {
  RowDifference difference;
  difference.missing = {R"({"a":1.50,"b":1})"};
  difference.unexpected = {R"({"a":1.5,"b":2})"};
  CHECK(difference_text(difference).find("a: expected") == std::string::npos);
  CHECK(difference_text(difference).find("b: expected 1, found 2") != std::string::npos);
}

TEST_CASE("junit") {
  std::string xml =
      junit_xml({{"a.weir", "counts", 0.25, ""}, {"a.weir", "x < \"y\"", 0, "- {}\n"}});
  CHECK(xml.find("<testsuite name=\"a.weir\" tests=\"2\" failures=\"1\" time=\"0.250\">") !=
        std::string::npos);
  CHECK(xml.find("name=\"x &lt; &quot;y&quot;\"") != std::string::npos);
  CHECK(xml.find("<failure>- {}\n</failure>") != std::string::npos);
}

}  // namespace
}  // namespace weir::tools
