// The declarations of functions as text: in messages, in the reference page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dsl/ast.h"

namespace weir::compiler {

// "timestamp(us)", "list<T>?".
std::string type_text(const dsl::TypeRef& type);
// "left(s: string, count: int64) -> string".
std::string signature_text(std::string_view name, const dsl::Signature& signature);

// A function of the standard library: all overloads of one name in one module.
struct FunctionPage {
  std::string module, name;
  std::vector<std::string> signatures;
  std::string text;                   // what it does, without the examples
  std::vector<std::string> examples;  // each an expression that is true
};
// In the order of the declarations.
std::vector<FunctionPage> function_pages();

// What a module is for: the doc comment at the top of its file.
std::string module_text(std::string_view module);

}  // namespace weir::compiler
