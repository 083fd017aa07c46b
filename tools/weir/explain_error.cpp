// `weir explain-error CODE`: what a code means, of programs and of rows.
#include <cstdio>
#include <cstdlib>

#include "dsl/diagnostic.h"
#include "tools/weir/commands.h"
#include "tools/weir/program.h"

namespace weir::tools {

namespace {

struct Reason {
  int number;
  const char* name;
  const char* text;
};
constexpr Reason kReasons[] = {
#define REASON(number, name, text) {number, #name, text},
#include "runtime/contract/reason.def"
#undef REASON
};

std::string indented(std::string_view text) {
  std::string result = "    ";
  for (char c : text) result += c == '\n' ? std::string("\n    ") : std::string(1, c);
  return result;
}

int explain(const std::string& code) {
  const char* digits = code.c_str();
  if (*digits == 'W' || *digits == 'w') ++digits;
  char* end = nullptr;
  long number = std::strtol(digits, &end, 10);
  if (*digits == 0 || *end != 0) {
    return fail(runtime::Exit::Usage, "`" + code + "` is not a code like W0201");
  }
  for (const dsl::CodeInfo& info : dsl::all_codes()) {
    if (long(info.code) != number) continue;
    std::printf("%s %s (%s)\n\n%s\n", dsl::code_text(info.code).c_str(), info.name,
                info.severity == dsl::Severity::Error ? "error" : "warning", info.summary);
    const dsl::CodePage& page = dsl::page(info.code);
    std::printf("\n%s\n", std::string(page.why).c_str());
    if (!page.wrong.empty()) {
      std::printf("\nFor example\n\n%s\n\nshould be\n\n%s\n", indented(page.wrong).c_str(),
                  indented(page.right).c_str());
    }
    return 0;
  }
  for (const Reason& reason : kReasons) {
    if (reason.number != number) continue;
    std::printf("W%04d %s (reason why a row is put aside)\n\n%s\n", reason.number, reason.name,
                reason.text);
    return 0;
  }
  return fail(runtime::Exit::Usage, "there is no code `" + code + "`");
}

}  // namespace

Command add_explain_error(CLI::App& app) {
  auto code = std::make_shared<std::string>();
  app.add_option("CODE", *code, "for example W0201")->required();
  return [code] { return explain(*code); };
}

}  // namespace weir::tools
