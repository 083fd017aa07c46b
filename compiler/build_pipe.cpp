// `pipe`: a piece of graph with a name, written out where it is used.
//
// The first parameter is the stream in front of the `|`; the others are streams, values that are
// known when the program starts, and functions of a row: `k(row)` in the body is the body of the
// lambda that was given, with the row for its parameter. Types of the signature are looked at when
// the pipe is used: a type parameter stands for the first row or value that is given for it.
#include <algorithm>

#include "compiler/builder.h"
#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

namespace {

bool is_stream(const dsl::TypeRef& type) {
  return type.name.text == "stream" && type.parameters.size() == 1;
}

bool is_type_parameter(const dsl::Signature& signature, const dsl::TypeRef& type) {
  return std::any_of(signature.type_parameters.begin(), signature.type_parameters.end(),
                     [&](const dsl::Name& name) { return name.text == type.name.text; });
}

}  // namespace

// The row of `end` is what `type`, the R of `stream<R>`, says.
bool Builder::row_fits(const PipeCall& call, const dsl::Signature& signature,
                       const dsl::TypeRef& type, const StreamEnd& end, dsl::Span span,
                       const std::string& what, std::map<std::string, RecordId>& rows) {
  RecordId want = end.row;
  if (is_type_parameter(signature, type)) {
    want = rows.try_emplace(type.name.text, end.row).first->second;
  } else {
    auto record = declarations_.records.find(type.name.text);
    if (record == declarations_.records.end()) {
      diagnostics_.report(Code::unknown_type, type.span,
                          "there is no record `" + type.name.text + "`");
      return false;
    }
    want = record->second;
  }
  if (same_row(want, end.row)) return true;
  diagnostics_
      .report(Code::type_mismatch, span,
              what + " of pipe `" + call.pipe->name.text + "` has other fields than `" +
                  type.name.text + "`")
      .with_note(type.span, "declared here");
  return false;
}

bool Builder::pipe_argument(const dsl::Parameter& parameter, const dsl::Signature& signature,
                            const dsl::Expr& value, PipeCall& call,
                            std::map<std::string, RecordId>& rows) {
  const std::string what = "`" + parameter.name.text + "`";
  auto* name = std::get_if<dsl::NameRef>(&value.node);
  if (is_stream(parameter.type)) {
    if (!name) {
      diagnostics_.report(Code::wrong_arguments, value.span, what + " wants the name of a stream");
      return false;
    }
    StreamEnd end = named(name->name, value.span);
    if (!end.ok() ||
        !row_fits(call, signature, parameter.type.parameters[0], end, value.span, what, rows))
      return false;
    call.streams[parameter.name.text] = std::move(end);
    return true;
  }
  if (parameter.type.name.text == "->") {
    PipeFrame::Function function;
    function.lambda = std::get_if<dsl::Lambda>(&value.node);
    function.scope = call.outer;
    size_t wanted = parameter.type.parameters.size() - 1;
    if (!function.lambda || function.lambda->parameters.size() != wanted) {
      diagnostics_
          .report(Code::wrong_arguments, value.span,
                  what + " wants a function of " + std::to_string(wanted) +
                      (wanted == 1 ? " parameter" : " parameters"))
          .with_fix_text("x => …");
      return false;
    }
    const dsl::TypeRef& result = parameter.type.parameters.back();
    if (!is_type_parameter(signature, result))
      function.result = resolve_type(result, declarations_, graph_, diagnostics_);
    call.functions[parameter.name.text] = function;
    return true;
  }
  Scope scope;
  Type type = is_type_parameter(signature, parameter.type)
                  ? Type{}
                  : resolve_type(parameter.type, declarations_, graph_, diagnostics_);
  Expr given = checker_.check_as(value, scope, type, what);
  if (given.type.is(TypeKind::Error)) return false;
  call.values.push_back({parameter.name.text, std::move(given), -1});
  return true;
}

StreamEnd Builder::pipe(const dsl::PipeCallOp& op, const dsl::Declaration& declaration,
                        StreamEnd in, Context& context, dsl::Span span) {
  const auto& pipe = std::get<dsl::PipeDecl>(declaration.node);
  const dsl::Signature& signature = pipe.signature;
  const std::string& name = declaration.name.text;
  int depth = 0;
  for (const PipeFrame* frame = checker_.frame; frame; frame = frame->outer) {
    if (frame->pipe == &declaration || ++depth > kDepthMax) {
      diagnostics_.report(Code::declaration_cycle, op.name.span, "pipe `" + name + "` uses itself")
          .with_note(declaration.name.span, "declared here");
      return failed();
    }
  }
  if (signature.parameters.empty() || !is_stream(signature.parameters[0].type) || !pipe.body) {
    diagnostics_
        .report(Code::wrong_arguments, declaration.name.span,
                "the first parameter of a pipe is the stream that goes into it")
        .with_fix_text("pipe " + name + "<R>(s: stream<R>) -> stream<R> = s | …");
    return failed();
  }
  if (op.arguments.size() + 1 != signature.parameters.size()) {
    diagnostics_
        .report(Code::wrong_arguments, op.name.span,
                "pipe `" + name + "` takes " + std::to_string(signature.parameters.size() - 1) +
                    " in its parentheses, and this has " + std::to_string(op.arguments.size()))
        .with_note(declaration.name.span, "declared here");
    return failed();
  }
  PipeCall call;
  call.pipe = &declaration;
  call.outer = checker_.frame;
  std::map<std::string, RecordId> rows;
  if (!row_fits(call, signature, signature.parameters[0].type.parameters[0], in, span, "the input",
                rows))
    return failed();
  call.streams[signature.parameters[0].name.text] = in;
  bool good = true;
  for (size_t i = 0; i < op.arguments.size(); ++i) {
    const dsl::Argument& given = op.arguments[i];
    const dsl::Parameter* parameter = &signature.parameters[i + 1];
    if (given.name) {
      auto named_so = std::find_if(
          signature.parameters.begin() + 1, signature.parameters.end(),
          [&](const dsl::Parameter& each) { return each.name.text == given.name->text; });
      if (named_so == signature.parameters.end()) {
        diagnostics_.report(Code::wrong_arguments, given.name->span,
                            "pipe `" + name + "` has no parameter `" + given.name->text + "`");
        return failed();
      }
      parameter = &*named_so;
    }
    good &= given.value && pipe_argument(*parameter, signature, *given.value, call, rows);
  }
  if (!good) return failed();

  Context inner;
  inner.stream = context.stream;
  inner.path = context.path + "." + name + "." + std::to_string(context.kinds["pipe " + name]++);
  inner.open_rows = context.open_rows;
  inner.depth = context.depth;
  checker_.frame = &call;
  StreamEnd out = pipeline(*pipe.body, inner);
  checker_.frame = call.outer;
  context.open_rows = inner.open_rows;
  if (!out.ok()) return out;
  const dsl::TypeRef& result = signature.result;
  if (!is_stream(result)) {
    diagnostics_.report(Code::bad_type, result.span, "the result of a pipe is a stream")
        .with_fix_text("stream<R>");
    return failed();
  }
  if (!row_fits(call, signature, result.parameters[0], out, op.name.span, "the result", rows))
    return failed();
  return out;
}

}  // namespace weir::compiler
