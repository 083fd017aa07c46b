// The syntax tree as text, one declaration a line, every operator in parentheses: for tests, and to
// see what the parser understood. Spans are left out, so that two texts that mean the same print
// the same.
#pragma once

#include <string>

#include "dsl/ast.h"

namespace weir::dsl {

std::string print_ast(const Program& program);
std::string print_ast(const Expr& expr);

}  // namespace weir::dsl
