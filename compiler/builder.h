// Syntax tree → graph: names become edges, operators become nodes.
//
// A `StreamEnd` is what is known where a pipeline has come to: node, row, facts about nulls, time,
// and which changes it can carry. Streams are built when they are first named, in depth-first
// order. Parts: build_graph.cpp (streams), build_source.cpp, build_rows.cpp (where select extend
// drop flatten), build_branches.cpp (union split), build_keyed.cpp (window, group),
// build_kept_rows.cpp (dedup, over), build_scan.cpp, build_sink.cpp.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compiler/checker.h"
#include "compiler/connectors.h"
#include "compiler/graph.h"

namespace weir::compiler {

enum class Changelog : uint8_t {
  None,      // rows never change
  Windowed,  // changes until the watermark passes the window
  Running,   // changes for ever
};

struct StreamEnd {
  NodeId node = kNoNode;  // kNoNode: failed, and reported
  RecordId row = 0;
  std::set<std::string> facts;  // paths of the row that are not null
  bool has_event_time = false, has_watermark = false;
  std::string no_event_time;                 // why not
  const dsl::Declaration* source = nullptr;  // for fixes, if there is one source
  bool has_meta = false;                     // Kafka's
  bool positions = false;                    // rows are records of a source
  bool replayable = true;                    // all sources are
  Changelog changelog = Changelog::None;
  bool chained = false;           // a keyed operator over the results of another
  std::vector<std::string> keys;  // of the changelog, by name, without the window's bounds
  std::vector<int> key_part;      // per field of the row: index in `keys`, kWindowBound, or kNotKey
  static constexpr int kNotKey = -1, kWindowBound = -2;
  // The rows of a changelog still say which of its rows they are.
  bool has_its_keys() const;
  bool ok() const { return node != kNoNode; }
};

class Builder {
 public:
  Builder(const Declarations& declarations, Graph& graph, dsl::Diagnostics& diagnostics)
      : declarations_(declarations),
        graph_(graph),
        diagnostics_(diagnostics),
        checker_(declarations, graph, diagnostics) {}

  // All streams and sinks of the program.
  void build_program();
  // A named stream or source; not ok (reported) if there is none or it failed.
  StreamEnd stream(const dsl::Name& name);
  // Says which sources, streams and parameters reach neither a sink nor a test. Once all of these
  // are built.
  void warn_unused();
  // What a test may expect rows of: a stream, or what goes into a sink.
  StreamEnd stream_or_sink(const dsl::Name& name);
  // A sink of a test: every row of `stream`, its final ones, or each change with the row's key.
  enum class Collects : uint8_t { Rows, Final, Changes };
  void build_collect_sink(const dsl::Name& stream, Collects what);
  // In a test that expects rows of no stream: all sinks of the program, collected.
  void collect_all_sinks();

 private:
  // The pipeline that is being built: whose name its nodes have, how many of a kind there are, its
  // open Rows node.
  struct Context {
    std::string stream;
    std::string path;  // of the pipes it came through: ".busy.0"
    std::map<std::string, int> kinds;
    NodeId open_rows = kNoNode;
    int depth = 0;
  };

  // A pipe in use.
  struct PipeCall : PipeFrame {
    std::map<std::string, StreamEnd> streams;  // by parameter
  };

  StreamEnd pipeline(const dsl::Pipeline& pipeline, Context& context);
  StreamEnd head(const dsl::Pipeline& pipeline, Context& context);
  StreamEnd apply(const dsl::Operator& op, StreamEnd in, Context& context);
  StreamEnd named(const std::string& name, dsl::Span span);
  void build_declared(const std::string& name, const ValueName& value);
  Expr key_of(const StreamEnd& in);
  StreamEnd failed() { return {}; }
  StreamEnd refuse(const dsl::Operator& op, const std::string& what);

  // build_source.cpp
  StreamEnd source(const dsl::Declaration& declaration);
  // build_rows.cpp
  StreamEnd where(const dsl::WhereOp& op, StreamEnd in, Context& context, dsl::Span span);
  dsl::Fix as_group(const dsl::Block& block, dsl::Span select) const;
  StreamEnd shape(const dsl::Block& block, bool extend, StreamEnd in, Context& context,
                  dsl::Span span);
  StreamEnd flatten(const dsl::FlattenOp& op, StreamEnd in, Context& context, dsl::Span span);
  StreamEnd drop(const dsl::DropOp& op, StreamEnd in, Context& context, dsl::Span span);
  std::vector<RowStep>& rows(StreamEnd& in, Context& context, dsl::Span span);
  // A whole new row after `in`; facts and key parts follow their fields.
  void project(StreamEnd& in, Context& context, std::vector<Field> fields, std::vector<Expr> values,
               dsl::Span span);
  Scope scope_of(const StreamEnd& in) const;
  std::string item_name(const dsl::BlockItem& item);
  static std::string last_name(const dsl::Expr& expr);
  // build_pipe.cpp
  StreamEnd pipe(const dsl::PipeCallOp& op, const dsl::Declaration& declaration, StreamEnd in,
                 Context& context, dsl::Span span);
  bool pipe_argument(const dsl::Parameter& parameter, const dsl::Signature& signature,
                     const dsl::Expr& value, PipeCall& call, std::map<std::string, RecordId>& rows);
  bool row_fits(const PipeCall& call, const dsl::Signature& signature, const dsl::TypeRef& type,
                const StreamEnd& end, dsl::Span span, const std::string& what,
                std::map<std::string, RecordId>& rows);
  // build_branches.cpp
  StreamEnd union_(const dsl::UnionOp& op, StreamEnd in, Context& context, dsl::Span span);
  struct Split {
    StreamEnd in;
    std::vector<Expr> predicates;  // of the arms, without the last `else`
  };
  const Split& split(const dsl::Declaration& declaration);
  // The stream `name` of a split.
  StreamEnd split_arm(const dsl::Declaration& declaration, const std::string& name);
  // build_keyed.cpp
  struct BlockValue {
    std::string name;
    Expr value;
    dsl::Span span;
  };
  std::optional<std::vector<BlockValue>> block_values(const dsl::Block& block, Scope& scope,
                                                      const std::vector<Field>& taken,
                                                      dsl::Code spread_code,
                                                      const char* spread_text);
  StreamEnd window(const dsl::WindowOp& op, StreamEnd in, Context& context,
                   const dsl::Operator& whole);
  StreamEnd group(const dsl::GroupOp& op, StreamEnd in, Context& context,
                  const dsl::Operator& whole);
  std::optional<WindowSpec> window_spec(const dsl::WindowOp& op, const StreamEnd& in,
                                        dsl::Span span);
  StreamEnd keyed(const char* kind, std::optional<WindowSpec> window,
                  const std::vector<dsl::KeyItem>& by, const dsl::Block& block, StreamEnd in,
                  Context& context, dsl::Span span);
  bool keys_of(const std::vector<dsl::KeyItem>& by, const StreamEnd& in, KeyedNode& node,
               bool windowed);
  static bool is_bounded_key(Type type);
  // build_kept_rows.cpp
  StreamEnd dedup(const dsl::DedupOp& op, StreamEnd in, Context& context,
                  const dsl::Operator& whole);
  StreamEnd over(const dsl::OverOp& op, StreamEnd in, Context& context, const dsl::Operator& whole);
  class ScanBody;  // build_scan.cpp
  StreamEnd scan(const dsl::ScanOp& op, StreamEnd in, Context& context, const dsl::Operator& whole);
  std::optional<KeyedNode> kept_rows(const char* kind, const std::vector<dsl::KeyItem>& by,
                                     const StreamEnd& in, Context& context,
                                     const dsl::Operator& whole);
  StreamEnd add_kept_rows(KeyedNode node, std::vector<Field> fields, const StreamEnd& in,
                          Context& context, const dsl::Operator& whole,
                          const std::optional<dsl::Name>& late_name);
  bool expire_after(const dsl::ExprPtr& expire, KeyedNode& node);
  void warn_if_unbounded(const KeyedNode& node, dsl::Span span);
  void late(const dsl::Name& name, NodeId keyed, const StreamEnd& in);
  std::string time_field(RecordId record) const;
  void need_watermark(const StreamEnd& in, dsl::Span span, const std::string& who,
                      const std::string& why = "needs to know when it is over");
  // build_sink.cpp
  void sink(const dsl::Declaration& declaration, const dsl::SinkDecl& sink);
  void sink_options(const dsl::Connector& connector, const ConnectorInfo& info, const StreamEnd& in,
                    SinkNode& node);
  void emit_option(const dsl::Option& option, SinkNode& node);
  void check_emit(const StreamEnd& in, const dsl::Connector& connector, dsl::Span emit_span,
                  SinkNode& node);
  void key_unknown(const std::string& name, dsl::Span span, const StreamEnd& in);
  void check_sink_key(const StreamEnd& in, const dsl::Connector& connector, SinkNode& node);
  void deliver_option(const dsl::Option* option, const StreamEnd& in, const ConnectorInfo& info,
                      SinkNode& node);

  RecordId new_row(std::vector<Field> fields);
  Node& add_node(std::variant<SourceNode, RowsNode, KeyedNode, UnionNode, SinkNode> is,
                 std::vector<NodeId> inputs, RecordId row, const std::string& stream,
                 dsl::Span span);
  bool same_row(RecordId a, RecordId b) const;

  static constexpr size_t kNodesMax = 10'000;
  static constexpr int kDepthMax = 500;  // streams that are built of streams, operators in a row

  const Declarations& declarations_;
  Graph& graph_;
  dsl::Diagnostics& diagnostics_;
  Checker checker_;
  std::map<std::string, StreamEnd> built_;
  std::set<std::string> building_;
  std::map<const dsl::Declaration*, Split> splits_;
  std::map<std::string, dsl::Span> sinks_;
  std::map<std::string, StreamEnd> sink_inputs_;
  std::map<NodeId, int> depth_;  // operators in front of a node
};

}  // namespace weir::compiler
