#include "dsl/print_ast.h"

#include "dsl/literal.h"

namespace weir::dsl {
namespace {

class AstPrinter {
 public:
  std::string out;

  // ---- small pieces
  void text(std::string_view t) { out += t; }
  void quoted(std::string_view t) {
    out += '"';
    for (char c : t) {
      if (c == '"' || c == '\\') out += '\\';
      if (c == '\n')
        out += "\\n";
      else
        out += c;
    }
    out += '"';
  }
  void name(const Name& n) { out += " " + n.text; }
  void optional_name(std::string_view word, const std::optional<Name>& n) {
    if (n) out += " (" + std::string(word) + " " + n->text + ")";
  }
  void names(const std::vector<Name>& all) {
    for (const Name& n : all) name(n);
  }
  void value(const ExprPtr& e) {
    out += ' ';
    if (e)
      expr(*e);
    else
      out += "-";
  }
  void clause(std::string_view word, const ExprPtr& e) {
    if (!e) return;
    out += " (" + std::string(word);
    value(e);
    out += ')';
  }
  void flag(std::string_view word, bool on) {
    if (on) out += " " + std::string(word);
  }

  // ---- types
  void type(const TypeRef& t) {
    out += t.name.text;
    if (!t.arguments.empty()) {
      out += '(';
      for (const ExprPtr& e : t.arguments) value(e);
      out += " )";
    }
    if (!t.parameters.empty() || t.name.text == "->") {
      out += '<';
      for (const TypeRef& p : t.parameters) {
        out += ' ';
        type(p);
      }
      out += " >";
    }
    if (t.optional) out += '?';
  }

  // ---- expressions
  static std::string_view op_text(BinaryOp op) {
    static constexpr std::string_view kTexts[] = {
        "+",  "-",   "*",  "/",  "%",  "==",     "!=",   "<",        "<=",      ">",
        ">=", "and", "or", "??", "in", "not-in", "like", "not-like", "matches", "not-matches"};
    return kTexts[static_cast<size_t>(op)];
  }
  void expr(const Expr& e) {
    std::visit([this](const auto& node) { print(node); }, e.node);
  }
  void print(const NumberLiteral& n) { out += n.digits; }
  void print(const TextLiteral& n) { quoted(n.text); }
  void print(const Interpolation& n) {
    out += "(text";
    for (size_t i = 0; i < n.texts.size(); ++i) {
      out += ' ';
      quoted(n.texts[i]);
      if (i < n.values.size()) value(n.values[i]);
    }
    out += ')';
  }
  void print(const BoolLiteral& n) { out += n.value ? "true" : "false"; }
  void print(const NullLiteral&) { out += "null"; }
  void print(const DurationLiteral& n) { out += duration_text(n.micros); }
  void print(const SizeLiteral& n) { out += std::to_string(n.bytes) + "B"; }
  void print(const InstantLiteral& n) {
    out += "@" + std::to_string(n.seconds) + "s" +
           (n.nanos ? "+" + std::to_string(n.nanos) + "ns" : "");
  }
  void print(const DateLiteral& n) { out += "@" + std::to_string(n.days) + "d"; }
  void print(const NameRef& n) { out += n.name; }
  void print(const Unary& n) {
    out += n.op == UnaryOp::Negate ? "(neg" : n.op == UnaryOp::Not ? "(not" : "(try";
    value(n.operand);
    out += ')';
  }
  void print(const Binary& n) {
    out += "(" + std::string(op_text(n.op));
    value(n.left);
    value(n.right);
    out += ')';
  }
  void print(const Between& n) {
    out += n.negated ? "(not-between" : "(between";
    value(n.value);
    value(n.low);
    value(n.high);
    out += ')';
  }
  void print(const IsNull& n) {
    out += n.negated ? "(is-not-null" : "(is-null";
    value(n.value);
    out += ')';
  }
  void print(const If& n) {
    out += "(if";
    value(n.condition);
    value(n.then);
    value(n.otherwise);
    out += ')';
  }
  void print(const Match& n) {
    out += "(match";
    value(n.value);
    for (const MatchArm& arm : n.arms) {
      out += " (";
      for (const Pattern& p : arm.patterns) {
        if (p.literal)
          expr(*p.literal);
        else
          out += p.first.text;
        if (p.kind == Pattern::Kind::Path) out += "." + p.second.text;
        out += ' ';
      }
      out += "=>";
      value(arm.value);
      out += ')';
    }
    out += ')';
  }
  void print(const Member& n) {
    out += n.safe ? "(?." : "(.";
    value(n.object);
    name(n.field);
    out += ')';
  }
  void print(const Index& n) {
    out += "(index";
    value(n.object);
    value(n.index);
    out += ')';
  }
  void print(const Call& n) {
    out += "(call";
    value(n.callee);
    arguments(n.arguments);
    clause("by", n.by);
    clause("approx", n.approx);
    clause("where", n.where);
    bound(n.within);
    out += ')';
  }
  void print(const ListLiteral& n) {
    out += "(list";
    for (const ExprPtr& e : n.items) value(e);
    out += ')';
  }
  void print(const MapLiteral& n) {
    out += "(map";
    for (const auto& [k, v] : n.entries) {
      value(k);
      value(v);
    }
    out += ')';
  }
  void print(const RecordLiteral& n) { block(*n.block); }
  void print(const Lambda& n) {
    out += "(fn (";
    for (const Name& p : n.parameters) out += p.text + " ";
    out += ")";
    value(n.body);
    out += ')';
  }
  void print(const BadExpr&) { out += "BAD"; }

  void arguments(const std::vector<Argument>& all) {
    for (const Argument& a : all) {
      if (a.name) out += " " + a.name->text + "=";
      value(a.value);
    }
  }
  void bound(const std::optional<Bound>& b) {
    if (!b) return;
    out += " (within";
    value(b->from);
    if (b->to) value(b->to);
    out += b->rows ? " rows)" : ")";
  }
  void block(const Block& b) {
    out += '{';
    for (const BlockItem& item : b.items) {
      out += ' ';
      if (item.spread) out += "..";
      if (item.name) out += item.name->text + "=";
      if (item.value) expr(*item.value);
      if (!item.except.empty()) {
        out += " except (";
        names(item.except);
        out += " )";
      }
    }
    out += " }";
  }

  // ---- pipelines
  void keys(const std::vector<KeyItem>& all, std::string_view word = "by") {
    if (all.empty()) return;
    out += " (" + std::string(word);
    for (const KeyItem& k : all) {
      if (k.name) out += " " + k.name->text + "=";
      value(k.value);
    }
    out += ')';
  }
  void state(const std::vector<StateField>& all) {
    out += " (state";
    for (const StateField& f : all) {
      out += " " + f.name.text + ":";
      type(f.type);
      value(f.initial);
    }
    out += ')';
  }
  void body(const Body& b) {
    static constexpr std::string_view kWords[] = {"=", "let", "emit", "when", "set", "clear", "on"};
    out += " {";
    for (const Statement& s : b.statements) {
      out += " (" + std::string(kWords[static_cast<size_t>(s.kind)]);
      if (!s.name.text.empty()) name(s.name);
      if (s.kind == Statement::Kind::Set) out += s.set_after ? " after" : " at";
      if (s.value) value(s.value);
      flag("processing_time", s.processing_time);
      if (s.body) body(*s.body);
      out += ')';
    }
    out += " }";
  }
  void op(const WhereOp& o) { value(o.predicate); }
  void op(const SelectOp& o) { block(o.block); }
  void op(const ExtendOp& o) { block(o.block); }
  void op(const DropOp& o) { names(o.fields); }
  void op(const FlattenOp& o) {
    value(o.value);
    names(o.names);
  }
  void op(const UnionOp& o) {
    for (const PipelinePtr& p : o.inputs) pipeline(*p);
  }
  void op(const WindowOp& o) {
    static constexpr std::string_view kShapes[] = {" tumble", " hop", " session"};
    out += kShapes[static_cast<size_t>(o.shape)];
    value(o.size);
    clause("every", o.slide);
    clause("offset", o.offset);
    clause("grace", o.grace);
    flag("processing_time", o.processing_time);
    keys(o.by);
    if (o.block) block(*o.block);
    optional_name("late", o.late);
  }
  void op(const GroupOp& o) {
    keys(o.by);
    block(o.block);
    clause("expire", o.expire);
  }
  void op(const OverOp& o) {
    keys(o.by);
    flag("on-arrival", o.on_arrival);
    block(o.block);
    clause("expire", o.expire);
    optional_name("late", o.late);
  }
  void op(const JoinOp& o) {
    static constexpr std::string_view kKinds[] = {" inner", " left", " right", " full", " anti"};
    out += kKinds[static_cast<size_t>(o.kind)];
    pipeline(*o.right);
    optional_name("as", o.alias);
    out += " (on";
    for (const ExprPtr& e : o.on) value(e);
    out += ')';
    bound(o.within);
    flag("within-window", o.within_window);
    optional_name("late", o.late);
  }
  void op(const DedupOp& o) {
    keys(o.by);
    clause("within", o.within);
    optional_name("late", o.late);
  }
  void op(const ScanOp& o) {
    keys(o.by);
    flag("on-arrival", o.on_arrival);
    state(o.state);
    body(o.body);
    clause("expire", o.expire);
    optional_name("late", o.late);
  }
  void op(const DetectOp& o) {
    static constexpr std::string_view kKinds[] = {"first", "then", "next"};
    keys(o.by);
    flag("on-arrival", o.on_arrival);
    for (const DetectStep& s : o.steps) {
      out += " (" + std::string(kKinds[static_cast<size_t>(s.kind)]);
      flag("no", s.absent);
      name(s.name);
      value(s.predicate);
      bool once = s.times_min == 1 && s.times_max == 1;
      if (!once)
        out += " times " + std::to_string(s.times_min) + ".." +
               (s.times_max == UINT32_MAX ? "" : std::to_string(s.times_max));
      clause("within", s.within);
      out += ')';
    }
    clause("within", o.within);
    optional_name("late", o.late);
  }
  void op(const TopOp& o) {
    value(o.count);
    for (const OrderItem& item : o.by) {
      value(item.value);
      flag("asc", item.ascending);
    }
    keys(o.per, "per");
    flag("with-ties", o.with_ties);
    optional_name("as", o.rank);
    clause("expire", o.expire);
  }
  void op(const ToTableOp& o) {
    keys(o.by);
    clause("expire", o.expire);
  }
  void op(const ChangesOp&) {}
  void op(const PipeCallOp& o) {
    out += "-call";
    arguments(o.arguments);
  }
  void pipeline(const Pipeline& p) {
    out += " (";
    if (p.nested) {
      out += "nested";
      pipeline(*p.nested);
    } else {
      out += p.head.text;
      if (p.head_is_call) out += "()";
      arguments(p.head_arguments);
    }
    for (const Operator& o : p.operators) {
      out += " | " + o.word.text;
      std::visit([this](const auto& node) { op(node); }, o.node);
    }
    out += ')';
  }

  // ---- declarations
  void options(const Options& all) {
    out += " {";
    for (const Option& o : all) {
      out += " " + o.name.text + "=";
      value(o.value);
      if (!o.nested.empty()) options(o.nested);
      clause("every", o.every);
      flag("immediately", o.immediately);
    }
    out += " }";
  }
  void connector(const Connector& c) {
    out += " (" + c.name.text;
    arguments(c.arguments);
    if (!c.options.empty()) options(c.options);
    out += ')';
  }
  void signature(const Signature& s) {
    if (!s.type_parameters.empty()) {
      out += " <";
      names(s.type_parameters);
      out += " >";
    }
    out += " (";
    for (const Parameter& p : s.parameters) {
      out += " " + p.name.text + ":";
      type(p.type);
    }
    out += " ) -> ";
    type(s.result);
  }
  void wire(const std::optional<Name>& n) {
    if (!n) return;
    out += " as ";
    quoted(n->text);
  }
  void decl(const RecordDecl& d) {
    for (const RecordField& f : d.fields) {
      out += " (" + f.name.text + ": ";
      type(f.type);
      wire(f.wire_name);
      clause("=", f.initial);
      if (!f.doc.empty()) {
        out += " doc ";
        quoted(f.doc);
      }
      out += ')';
    }
  }
  void decl(const EnumDecl& d) {
    for (const EnumCase& c : d.cases) {
      name(c.name);
      wire(c.wire_name);
    }
  }
  void decl(const ImportDecl& d) {
    flag("schema", d.schema);
    flag("registry", d.registry);
    out += ' ';
    quoted(d.path.text);
  }
  void decl(const ParamDecl& d) {
    out += ": ";
    type(d.type);
    clause("=", d.initial);
  }
  void decl(const SecretDecl&) {}
  void decl(const FnDecl& d) {
    flag("extern", d.is_extern);
    signature(d.signature);
    if (d.body) value(d.body);
  }
  void decl(const PipeDecl& d) {
    signature(d.signature);
    if (d.body) pipeline(*d.body);
  }
  void decl(const AggregateDecl& d) {
    signature(d.signature);
    state(d.state);
    body(d.step);
    body(d.merge);
    value(d.finish);
  }
  void decl(const SourceDecl& d) {
    flag("table", d.is_table);
    name(d.record);
    connector(d.connector);
  }
  void decl(const StreamDecl& d) {
    flag("table", d.is_table);
    if (d.pipeline) pipeline(*d.pipeline);
  }
  void decl(const SinkDecl& d) {
    if (d.pipeline) pipeline(*d.pipeline);
    connector(d.connector);
  }
  void decl(const SplitDecl& d) {
    if (d.pipeline) pipeline(*d.pipeline);
    for (const SplitArm& arm : d.arms) {
      out += " (when";
      value(arm.predicate);
      name(arm.name);
      out += ')';
    }
  }
  void decl(const TestDecl& d) {
    static constexpr std::string_view kSteps[] = {"given", "advance", "expect"};
    static constexpr std::string_view kModes[] = {"", " final", " changes"};
    static constexpr std::string_view kRows[] = {"", " insert", " update", " delete"};
    out += ' ';
    quoted(d.title.text);
    for (const TestStep& s : d.steps) {
      out += " (" + std::string(kSteps[static_cast<size_t>(s.kind)]) +
             std::string(kModes[static_cast<size_t>(s.mode)]);
      if (s.target) pipeline(*s.target);
      if (s.duration) value(s.duration);
      if (s.rows.file) {
        out += " file ";
        quoted(s.rows.file->text);
      }
      for (const TestRow& row : s.rows.rows) {
        out += kRows[static_cast<size_t>(row.kind)];
        value(row.value);
      }
      out += ')';
    }
  }
  void declaration(const Declaration& d) {
    static constexpr std::string_view kKinds[] = {
        "record",    "enum",   "import", "param", "secret", "fn",  "pipe",
        "aggregate", "source", "stream", "sink",  "split",  "test"};
    out += "(" + std::string(kKinds[d.node.index()]);
    if (!d.name.text.empty()) name(d.name);
    std::visit([this](const auto& node) { decl(node); }, d.node);
    if (!d.doc.empty()) {
      out += " doc ";
      quoted(d.doc);
    }
    out += ")\n";
  }
};

}  // namespace

std::string print_ast(const Program& program) {
  AstPrinter printer;
  if (!program.doc.empty()) {
    printer.out = "doc ";
    printer.quoted(program.doc);
    printer.out += '\n';
  }
  for (const Declaration& d : program.declarations) printer.declaration(d);
  return std::move(printer.out);
}

std::string print_ast(const Expr& expr) {
  AstPrinter printer;
  printer.expr(expr);
  return std::move(printer.out);
}

}  // namespace weir::dsl
