// What functions of SQL, Java, Kotlin and Python are called here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::compiler {

// The function of ours that does what `name` does elsewhere, also when `name` is nearly that; "" if
// none is known.
std::string function_meant(std::string_view name);

}  // namespace weir::compiler
