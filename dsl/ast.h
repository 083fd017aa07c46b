// The syntax tree: what the text says, before anything is known of names and types.
//
// Nodes own their children and carry the span of their text. The whole grammar of the language
// page has a node here; what a later phase can't run yet it refuses by name.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dsl/source.h"

namespace weir::dsl {

// A name with its place. Backticks are already removed.
struct Name {
  std::string text;
  Span span;
};

struct Expr;
struct Pipeline;
struct Block;
using ExprPtr = std::unique_ptr<Expr>;
using PipelinePtr = std::unique_ptr<Pipeline>;

// ---------------------------------------------------------------- types

// `decimal(12, 2)?`, `list<T>`, `(R) -> string`.
struct TypeRef {
  Name name;                        // "->" for a function type
  std::vector<ExprPtr> arguments;   // `(12, 2)`, `(ms)`
  std::vector<TypeRef> parameters;  // `<T>`; a function type's arguments, then its result
  bool optional = false;
  Span span;
};

// ---------------------------------------------------------------- expressions

enum class UnaryOp : uint8_t { Negate, Not, Try };
enum class BinaryOp : uint8_t {
  Add,
  Subtract,
  Multiply,
  Divide,
  Modulo,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  And,
  Or,
  Coalesce,
  In,
  NotIn,
  Like,
  NotLike,
  Matches,
  NotMatches,
};

// A number as written, without underscores: `12`, `1.50`, `1.5e0`.
struct NumberLiteral {
  std::string digits;
  bool has_point = false;
  bool has_exponent = false;
};
struct TextLiteral {
  std::string text;
};  // escapes resolved, no interpolation, or raw
struct Interpolation {
  std::vector<std::string> texts;
  std::vector<ExprPtr> values;
};  // texts = values + 1
struct BoolLiteral {
  bool value;
};
struct NullLiteral {};
struct DurationLiteral {
  int64_t micros;
};  // `1h30m`
struct SizeLiteral {
  int64_t bytes;
};  // `64KiB`
struct InstantLiteral {
  int64_t seconds;
  int32_t nanos;
};  // `@2025-01-01T00:00:00.5Z`, since the epoch
struct DateLiteral {
  int32_t days;
};  // `@2025-01-01`, since the epoch
struct NameRef {
  std::string name;
};
struct Unary {
  UnaryOp op;
  ExprPtr operand;
  Span op_span;
};
struct Binary {
  BinaryOp op;
  ExprPtr left, right;
  Span op_span;
};
struct Between {
  ExprPtr value, low, high;
  bool negated = false;
};
struct IsNull {
  ExprPtr value;
  bool negated = false;
};
struct If {
  ExprPtr condition, then, otherwise;
};
struct Pattern {  // literal | NAME | NAME.NAME | _
  enum class Kind : uint8_t { Literal, Name, Path, Wildcard } kind;
  ExprPtr literal;
  Name first, second;
  Span span;
};
struct MatchArm {
  std::vector<Pattern> patterns;
  ExprPtr value;
};
struct Match {
  ExprPtr value;
  std::vector<MatchArm> arms;
};
struct Member {
  ExprPtr object;
  Name field;
  bool safe = false;
};  // a.b, a?.b
struct Index {
  ExprPtr object, index;
};
struct Bound {
  ExprPtr from, to;
  bool rows = false;
};  // `within 10m` (to empty), `(-7d, -1d)`, `10 rows`
struct Argument {
  std::optional<Name> name;
  ExprPtr value;
};
struct Call {
  ExprPtr callee;  // a NameRef, or a Member (`x.f()`, `geo.f()`)
  std::vector<Argument> arguments;
  ExprPtr by, approx, where;  // aggregates only
  std::optional<Bound> within;
};
struct ListLiteral {
  std::vector<ExprPtr> items;
};
struct MapLiteral {
  std::vector<std::pair<ExprPtr, ExprPtr>> entries;
};
struct RecordLiteral {
  std::unique_ptr<Block> block;
};
struct Lambda {
  std::vector<Name> parameters;
  ExprPtr body;
};
struct BadExpr {};  // already reported

struct Expr {
  using Node = std::variant<NumberLiteral, TextLiteral, Interpolation, BoolLiteral, NullLiteral,
                            DurationLiteral, SizeLiteral, InstantLiteral, DateLiteral, NameRef,
                            Unary, Binary, Between, IsNull, If, Match, Member, Index, Call,
                            ListLiteral, MapLiteral, RecordLiteral, Lambda, BadExpr>;
  Node node;
  Span span;
};

// `{ a, b = e, ..r except (c, d) }`: select, extend, aggregates, records.
struct BlockItem {
  bool spread = false;
  std::optional<Name> name;  // `b` of `b = e`
  ExprPtr value;             // of a spread: the path, empty for all fields
  std::vector<Name> except;
  Span span;
};
struct Block {
  std::vector<BlockItem> items;
  Span span;
};

// ---------------------------------------------------------------- pipelines

struct KeyItem {
  std::optional<Name> name;
  ExprPtr value;
};
struct WhereOp {
  ExprPtr predicate;
};
struct SelectOp {
  Block block;
};
struct ExtendOp {
  Block block;
};
struct DropOp {
  std::vector<Name> fields;
};
struct FlattenOp {
  ExprPtr value;
  std::vector<Name> names;
};
struct UnionOp {
  std::vector<PipelinePtr> inputs;
};
struct WindowOp {
  enum class Shape : uint8_t { Tumble, Hop, Session } shape;
  ExprPtr size;   // the gap of a session
  ExprPtr slide;  // hop only
  ExprPtr offset, grace;
  bool processing_time = false;
  bool has_by = false;
  std::vector<KeyItem> by;
  std::optional<Block> block;
  std::optional<Name> late;
};
struct GroupOp {
  std::vector<KeyItem> by;
  Block block;
  ExprPtr expire;
};
struct OverOp {
  std::vector<KeyItem> by;
  bool on_arrival = false;
  Block block;
  ExprPtr expire;
  std::optional<Name> late;
};
struct JoinOp {
  enum class Kind : uint8_t { Inner, Left, Right, Full, Anti } kind;
  PipelinePtr right;
  std::optional<Name> alias;
  std::vector<ExprPtr> on;
  std::optional<Bound> within;
  bool within_window = false;
  std::optional<Name> late;
};
struct DedupOp {
  std::vector<KeyItem> by;
  ExprPtr within;
  std::optional<Name> late;
};
struct Statement;
struct Body {
  std::vector<Statement> statements;
  Span span;
};
struct Statement {
  enum class Kind : uint8_t { Assign, Let, Emit, When, Set, Clear, On } kind;
  Name name;                     // Assign, Let, Set, Clear, On
  ExprPtr value;                 // Assign, Let, Emit, When (condition), Set (time)
  bool set_after = false;        // Set: `after d`, else `at t`
  bool processing_time = false;  // Set
  std::unique_ptr<Body> body;    // When, On
  Span span;
};
struct StateField {
  Name name;
  TypeRef type;
  ExprPtr initial;
};
struct ScanOp {
  std::vector<KeyItem> by;
  bool on_arrival = false;
  std::vector<StateField> state;
  Body body;
  ExprPtr expire;
  std::optional<Name> late;
};
struct DetectStep {
  enum class Kind : uint8_t { First, Then, Next } kind;
  bool absent = false;  // `no`
  Name name;
  ExprPtr predicate;
  uint32_t times_min = 1, times_max = 1;
  ExprPtr within;
  Span span;
};
struct DetectOp {
  std::vector<KeyItem> by;
  bool on_arrival = false;
  std::vector<DetectStep> steps;
  ExprPtr within;
  std::optional<Name> late;
};
struct OrderItem {
  ExprPtr value;
  bool ascending = false;
};
struct TopOp {
  ExprPtr count;
  std::vector<OrderItem> by;
  std::vector<KeyItem> per;
  bool with_ties = false;
  std::optional<Name> rank;
  ExprPtr expire;
};
struct ToTableOp {
  std::vector<KeyItem> by;
  ExprPtr expire;
};
struct ChangesOp {};
struct PipeCallOp {
  Name name;
  std::vector<Argument> arguments;
};

struct Operator {
  using Node = std::variant<WhereOp, SelectOp, ExtendOp, DropOp, FlattenOp, UnionOp, WindowOp,
                            GroupOp, OverOp, JoinOp, DedupOp, ScanOp, DetectOp, TopOp, ToTableOp,
                            ChangesOp, PipeCallOp>;
  Node node;
  Name word;  // the operator's own word and its place
  Span span;
};

struct Pipeline {
  // A stream's name (with arguments for `errors(n)`), or a pipeline in parentheses.
  Name head;
  std::vector<Argument> head_arguments;
  bool head_is_call = false;
  PipelinePtr nested;  // then `head` is empty
  std::vector<Operator> operators;
  Span span;
};

// ---------------------------------------------------------------- declarations

struct Option;
using Options = std::vector<Option>;
struct Option {
  Name name;  // a NAME or a "text"
  ExprPtr value;
  Options nested;  // `format = csv { … }`
  ExprPtr every;   // `update every 30s`
  bool immediately = false;
  Span span;
};
struct Connector {  // NAME ["(" args ")"] [options]
  Name name;
  std::vector<Argument> arguments;
  Options options;
  Span braces;  // of the options, with both braces; empty without them
  Span span;
};

struct RecordField {
  Name name;
  TypeRef type;
  std::optional<Name> wire_name;
  ExprPtr initial;
  std::string doc;
  Span span;
};
struct RecordDecl {
  std::vector<RecordField> fields;
};
struct EnumCase {
  Name name;
  std::optional<Name> wire_name;
};
struct EnumDecl {
  std::vector<EnumCase> cases;
};
struct ImportDecl {
  bool schema = false;
  bool registry = false;
  Name path;
};  // a schema is named by Declaration::name
struct ParamDecl {
  TypeRef type;
  ExprPtr initial;
};
struct SecretDecl {};
struct Parameter {
  Name name;
  TypeRef type;
};
struct Signature {
  std::vector<Name> type_parameters;
  std::vector<Parameter> parameters;
  TypeRef result;
};
struct FnDecl {
  bool is_extern = false;
  Signature signature;
  ExprPtr body;
};
struct PipeDecl {
  Signature signature;
  PipelinePtr body;
};
struct AggregateDecl {
  Signature signature;
  std::vector<StateField> state;
  Body step, merge;
  ExprPtr finish;
};
struct SourceDecl {
  bool is_table = false;
  Name record;
  Connector connector;
};
struct StreamDecl {
  bool is_table = false;
  PipelinePtr pipeline;
};
struct SinkDecl {
  PipelinePtr pipeline;
  Connector connector;
};  // Declaration::name empty: called after its stream
struct SplitArm {
  ExprPtr predicate;
  Name name;
};  // predicate empty: else
struct SplitDecl {
  PipelinePtr pipeline;
  std::vector<SplitArm> arms;
};
struct TestRow {
  enum class Kind : uint8_t { Plain, Insert, Update, Delete } kind;
  ExprPtr value;
};
struct TestRows {
  std::vector<TestRow> rows;
  std::optional<Name> file;
  Span span;
};
struct TestStep {
  enum class Kind : uint8_t { Given, Advance, Expect } kind;
  PipelinePtr target;  // Given, Expect: a head without operators
  TestRows rows;
  ExprPtr duration;  // Advance
  enum class Mode : uint8_t { Appeared, Final, Changes } mode = Mode::Appeared;
  Span span;
};
struct TestDecl {
  Name title;
  std::vector<TestStep> steps;
};

struct Declaration {
  using Node =
      std::variant<RecordDecl, EnumDecl, ImportDecl, ParamDecl, SecretDecl, FnDecl, PipeDecl,
                   AggregateDecl, SourceDecl, StreamDecl, SinkDecl, SplitDecl, TestDecl>;
  Node node;
  Name name;        // empty where there is none
  std::string doc;  // the `///` lines above it
  Span span;
};

// One file.
struct Program {
  FileId file = 0;
  std::string doc;
  std::vector<Declaration> declarations;
};

}  // namespace weir::dsl
