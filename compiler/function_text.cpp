#include "compiler/function_text.h"

#include <algorithm>

#include "compiler/standard_library.h"

namespace weir::compiler {

std::string type_text(const dsl::TypeRef& type) {
  std::string text = type.name.text;
  for (size_t i = 0; i < type.arguments.size(); ++i) {
    const dsl::Expr& argument = *type.arguments[i];
    text += i ? ", " : "(";
    if (auto* number = std::get_if<dsl::NumberLiteral>(&argument.node)) text += number->digits;
    if (auto* name = std::get_if<dsl::NameRef>(&argument.node)) text += name->name;
  }
  if (!type.arguments.empty()) text += ")";
  for (size_t i = 0; i < type.parameters.size(); ++i)
    text += (i ? ", " : "<") + type_text(type.parameters[i]);
  if (!type.parameters.empty()) text += ">";
  return type.optional ? text + "?" : text;
}

std::string signature_text(std::string_view name, const dsl::Signature& signature) {
  std::string text(name);
  for (size_t i = 0; i < signature.type_parameters.size(); ++i)
    text += (i ? ", " : "<") + signature.type_parameters[i].text;
  if (!signature.type_parameters.empty()) text += ">";
  text += "(";
  for (size_t i = 0; i < signature.parameters.size(); ++i) {
    const dsl::Parameter& parameter = signature.parameters[i];
    text += (i ? ", " : "") + parameter.name.text + ": " + type_text(parameter.type);
  }
  return text + ") -> " + type_text(signature.result);
}

namespace {

// Indented lines are examples, one on each.
void read_doc(std::string_view doc, FunctionPage& page) {
  while (!doc.empty()) {
    size_t end = std::min(doc.find('\n'), doc.size());
    std::string line(doc.substr(0, end));
    doc.remove_prefix(std::min(end + 1, doc.size()));
    if (line.starts_with("    ")) {
      page.examples.push_back(line.substr(4));
    } else if (!line.empty()) {
      page.text += (page.text.empty() ? "" : " ") + line;
    }
  }
}

}  // namespace

std::vector<FunctionPage> function_pages() {
  std::vector<FunctionPage> pages;
  for (const StandardModule& module : standard_library()) {
    size_t first = pages.size();
    for (const auto& declaration : module.program.declarations) {
      auto* fn = std::get_if<dsl::FnDecl>(&declaration.node);
      if (!fn) continue;
      auto page = std::find_if(pages.begin() + std::ptrdiff_t(first), pages.end(),
                               [&](const auto& p) { return p.name == declaration.name.text; });
      if (page == pages.end())
        page = pages.insert(page, {std::string(module.name), declaration.name.text, {}, "", {}});
      page->signatures.push_back(signature_text(declaration.name.text, fn->signature));
      read_doc(declaration.doc, *page);
    }
  }
  return pages;
}

std::string module_text(std::string_view module) {
  for (const StandardModule& candidate : standard_library()) {
    if (candidate.name == module) return candidate.program.doc;
  }
  return "";
}

}  // namespace weir::compiler
