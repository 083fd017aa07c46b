#include "dsl/render.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace weir::dsl {
namespace {

const char kRides[] =
    "record RideEvent {\n"
    "  amount: decimal(12, 2)?\n"
    "}\n"
    "stream a = rides\n"
    "  | window tumble(1m) {\n"
    "      revenue = price(amount)\n"
    "    }\n";

struct Fixture {
  Sources sources;
  Diagnostics diagnostics;
  FileId file;
  explicit Fixture(std::string text) : file(sources.add("rides.weir", std::move(text))) {}
  Span find(std::string_view what, size_t from = 0) const {
    size_t at = sources.file(file).text().find(what, from);
    return {static_cast<uint32_t>(at), static_cast<uint32_t>(at + what.size()), file};
  }
};

TEST_CASE("a diagnostic as a person reads it") {
  Fixture f(kRides);
  Span use = f.find("amount", 40);
  f.diagnostics.report(Code::may_be_null, use, "`amount` may be null where `sum` wants a number")
      .with_label("decimal(12, 2)?")
      .with_note(f.find("amount"), "declared here")
      .with_note("aggregates skip nulls")
      .with_fix(use, "amount ?? 0")
      .with_fix_text("price(amount ?? 0)");
  CHECK(render(f.diagnostics, f.sources) ==
        "error W0201: `amount` may be null where `sum` wants a number\n"
        " ┌ rides.weir:6:23\n"
        "6 │       revenue = price(amount)\n"
        "  │                       ^^^^^^ decimal(12, 2)?\n"
        "  │ declared here: rides.weir:2  amount: decimal(12, 2)?\n"
        "  = aggregates skip nulls\n"
        "  = fix: price(amount ?? 0)\n");
}

TEST_CASE("several lines are shown, long ones in part") {
  Fixture f(kRides);
  f.diagnostics
      .report(Code::watermark_missing, f.find("rides\n  | window tumble(1m) {"), "no watermark")
      .with_label("here");
  CHECK(render(f.diagnostics, f.sources) ==
        "error W0400: no watermark\n"
        " ┌ rides.weir:4:12\n"
        "4 │ stream a = rides\n"
        "  │            ^^^^^\n"
        "5 │   | window tumble(1m) {\n"
        "  │   ^^^^^^^^^^^^^^^^^^^^^ here\n");
  Fixture all(kRides);
  all.diagnostics.report(Code::watermark_missing, all.find(kRides), "all of it");
  std::string text = render(all.diagnostics, all.sources);
  CHECK(text.find("… │\n") != std::string::npos);
  CHECK(text.find("window") == std::string::npos);
  Fixture wide(std::string(5000, 'a') + " x " + std::string(5000, 'b'));
  wide.diagnostics.report(Code::unknown_name, wide.find("x"), "no x");
  text = render(wide.diagnostics, wide.sources);
  CHECK(text.size() < 600);
  size_t shown = text.find(" x "), line_start = text.rfind('\n', shown);
  size_t mark = text.find('^'), mark_start = text.rfind('\n', mark);
  // Both in columns: the line begins with an ellipsis of three bytes, both bars have three.
  CHECK(shown - line_start + 1 - 2 == mark - mark_start);
}

TEST_CASE("tabs are four columns, a wide character two") {
  Fixture f("\ta = \"\xe6\xbc\xa2\xe5\xad\x97\" + b");
  f.diagnostics.report(Code::unknown_name, f.find("b"), "`b` is not declared");
  CHECK(render(f.diagnostics, f.sources) ==
        "error W0100: `b` is not declared\n"
        " ┌ rides.weir:1:13\n"
        "1 │     a = \"\xe6\xbc\xa2\xe5\xad\x97\" + b\n"
        "  │                  ^\n");
}

TEST_CASE("the end of the file, an empty file, bytes that are no text") {
  Fixture empty("");
  empty.diagnostics.report(Code::nothing_to_run, {0, 0, 0}, "nothing to run");
  CHECK(render(empty.diagnostics, empty.sources) ==
        "error W0507: nothing to run\n ┌ rides.weir:1:1\n1 │\n  │ ^\n");
  Fixture end("abc\n");
  end.diagnostics.report(Code::unexpected_token, {4, 4, 0}, "ends");
  CHECK(render(end.diagnostics, end.sources).find("rides.weir:2:1") != std::string::npos);
  Fixture bytes("a \xff\x1b b");
  bytes.diagnostics.report(Code::not_utf8, {2, 3, 0}, "no text");
  CHECK(render(bytes.diagnostics, bytes.sources).find("a \xef\xbf\xbd\xef\xbf\xbd b") !=
        std::string::npos);
  Fixture crlf("a\r\nb\r\n");
  crlf.diagnostics.report(Code::unknown_name, {0, 1, 0}, "no a");
  CHECK(render(crlf.diagnostics, crlf.sources).find('\r') == std::string::npos);
}

TEST_CASE(
    "errors in the order of places, then warnings; a line between two; color only when asked for") {
  Fixture f("a b");
  f.diagnostics.report(Code::unknown_name, f.find("b"), "second");
  f.diagnostics.report(Code::unused_declaration, f.find("a"), "first");
  std::string text = render(f.diagnostics, f.sources);
  CHECK(text.starts_with("error W0100: second\n"));
  CHECK(text.find("\n\nwarning W0105: first\n") != std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(render(f.diagnostics, f.sources, {.color = true}).find("\x1b[1;33mwarning") !=
        std::string::npos);
}

TEST_CASE("JSON lines") {
  Fixture f("x = \"\xc3\xa9\" + b\n");
  f.diagnostics.report(Code::unknown_name, f.find("b"), "a \"b\"\n\\ \x01")
      .with_note(f.find("x"), "n")
      .with_fix(f.find("b"), "c");
  CHECK(render_json(f.diagnostics, f.sources) ==
        "{\"code\":\"W0100\",\"severity\":\"error\",\"message\":\"a \\\"b\\\"\\n\\\\ "
        "\\u0001\",\"file\":\"rides.weir\",\"line\":1,"
        "\"column\":11,\"end_line\":1,\"end_column\":12,\"label\":\"\",\"notes\":[{\"text\":\"n\","
        "\"file\":\"rides.weir\",\"line\":1,"
        "\"column\":1,\"end_line\":1,\"end_column\":2}],\"fix\":{\"replacement\":\"c\",\"file\":"
        "\"rides.weir\",\"line\":1,\"column\":11,"
        "\"end_line\":1,\"end_column\":12}}\n");
}

TEST_CASE("did you mean") {
  std::vector<std::string_view> names = {"amount", "event_type", "user_id", "ts"};
  CHECK(did_you_mean("amuont", names) == "amount");
  CHECK(did_you_mean("event_typ", names) == "event_type");
  CHECK(did_you_mean("userid", names) == "user_id");
  CHECK(did_you_mean("revenue", names).empty());
  CHECK(did_you_mean("at", names).empty());
  CHECK(did_you_mean("", names).empty());
  CHECK(did_you_mean(std::string(100'000, 'a'), names).empty());
}

TEST_CASE("codes: in order, none twice, each with a summary") {
  std::set<std::string> names;
  int last = 0;
  for (const CodeInfo& code : all_codes()) {
    CHECK(static_cast<int>(code.code) > last);
    last = static_cast<int>(code.code);
    CHECK(names.insert(code.name).second);
    CHECK(std::string_view(code.summary).size() > 10);
    CHECK(info(code.code).name == std::string_view(code.name));
  }
  CHECK(code_text(Code::may_be_null) == "W0201");
}

TEST_CASE("after a hundred errors further ones are counted") {
  Fixture f("a");
  for (int i = 0; i < 150; ++i)
    f.diagnostics.report(Code::unknown_name, {0, 1, 0}, "no a").with_note("x");
  CHECK(f.diagnostics.all().size() == kDiagnosticsMax);
  CHECK(f.diagnostics.error_count() == 150);
  CHECK(render(f.diagnostics, f.sources).find("and 50 more errors") != std::string::npos);
}

}  // namespace
}  // namespace weir::dsl
