// The dataflow graph: a small closed core of nodes, owned by one vector, referred to by ids.
//
// Every operator of the language is one of these, or is rewritten into them. Passes ask a node for
// what they need (`traits.h`), not for its kind. After `fuse_stages` the graph also holds its
// `Stage`s: the unit that code is generated for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/expr.h"
#include "compiler/type.h"

namespace weir::compiler {

using NodeId = uint32_t;
using StageId = uint32_t;
inline constexpr NodeId kNoNode = ~0u;

// What rows on an edge mean: Append rows never change; Upsert rows replace the one with their key;
// Retract rows carry before and after.
enum class EdgeKind : uint8_t { Append, Upsert, Retract };

// A connector's or format's option after checking. `param` ≥ 0: the value comes from that parameter
// at start.
struct OptionValue {
  std::string name;  // dotted for nested ones: "properties.security.protocol"
  Type type;
  Constant constant;
  int32_t param = -1;
};

enum class OnError : uint8_t { Fail, Skip, DeadLetter };
enum class Validation : uint8_t { Projected, Structural, Strict };

struct SourceNode {
  std::string connector;             // "kafka", "file", "generate", "stdin"
  std::string address;               // topic, glob …; empty if there is none
  std::vector<OptionValue> options;  // the connector's own (start, idle, properties …)
  std::string format;                // "json"
  Validation validation = Validation::Structural;
  RecordId record = 0;
  std::vector<bool> used;  // per top-level field of the record: somebody reads it (prune_fields)
  std::optional<Expr> event_time;       // timestamp over the record's fields or Meta; any unit
  std::optional<int64_t> watermark_us;  // delay
  int64_t idle_us = 0;                  // 0: never idle
  OnError on_error = OnError::Fail;
  std::string dead_letter;  // topic
  bool null_value_skipped = false;
};

// Stateless steps in order, as written.
struct WhereStep {
  Expr predicate;
};  // bool or bool?: null is not true
struct ProjectStep {
  RecordId row;
  std::vector<Expr> values;
};  // select, extend, drop: the whole new row
// flatten: a row for each element of a list or entry of a map. The row stays as it is; what is of
// the element are locals for the steps behind.
struct FlattenStep {
  Expr container;
  std::vector<uint32_t> locals;  // the element; of a map the key and the value
};
using RowStep = std::variant<WhereStep, ProjectStep, FlattenStep>;
struct RowsNode {
  std::vector<RowStep> steps;
};

struct WindowSpec {
  int64_t size_us = 0, slide_us = 0, offset_us = 0, grace_us = 0;
  int64_t pane_us() const;  // gcd(size, slide): the width of a pane
};

// One state field of an aggregate. Types: any but record, list, map.
struct StateField {
  std::string name;
  Type type;
  Constant initial;
  bool grows = false;  // bytes in which kernels keep many values, with room (stdlib/engine/bag.h)
};
struct StateAssign {
  uint32_t field;
  Expr value;
};  // all values are computed before any is stored

// What an aggregate is. State fields are numbered from 0 here; whoever uses the body moves them to
// their place.
struct AggregateBody {
  std::vector<StateField> state;
  std::vector<StateAssign> step, merge;
  Expr finish;             // its type is the result's
  std::string parameters;  // constants that what is kept depends on: of the state's signature
  bool unbounded = false;  // what a group keeps grows with its rows
};

// An aggregate as used: fields [state_begin, state_end) of the node's state are its own.
struct AggregateUse {
  std::string name;             // the result's field
  std::string function;         // "sum": for messages, explain and the signature
  std::optional<Expr> filter;   // `where p`, over the input row; null is not true
  std::vector<Expr> arguments;  // over the input row, required types; a row in which …
  std::vector<std::optional<Expr>> argument_present;  // … one of these (bool) is false is skipped
  std::vector<StateAssign> step;   // over State, Argument, EventTime, Meta(Partition, Offset)
  std::vector<StateAssign> merge;  // over State (this) and Other
  Expr finish;                     // over State
  uint32_t state_begin = 0, state_end = 0;
  std::string parameters;  // as in AggregateBody
  bool unbounded = false;
};

struct KeyColumn {
  std::string name;
  Expr value;
};  // value over the input row; types that can be keys

// What a keyed node does with the rows of a key, instead of making a group of them. Each row is
// kept as an accumulator: the node's first `fields` aggregates are the values of the row, one for
// each field of the input (nothing is kept of those that nobody reads), the others are aggregates
// of that one row, to be merged over a frame.
struct KeptRows {
  // Dedup: a row goes on unless one of its key that went on is at most `within_us` away.
  // Over: each row goes on, with the aggregates of its frames.
  // Scan: what `scan` says is done with each row.
  enum class Kind : uint8_t { Dedup, Over, Scan };
  // Rows of the key up to the row itself: with event times in [t − from_us, t − to_us]; the last
  // `rows`, itself among them; all.
  struct Frame {
    enum class Kind : uint8_t { Time, Rows, All };
    Kind kind = Kind::All;
    int64_t from_us = 0, to_us = 0;
    uint32_t rows = 0;
    bool operator==(const Frame&) const = default;
  };
  Kind kind = Kind::Dedup;
  int64_t within_us = 0;    // others: `expire after`, 0 never; the last use is the last of `state`
  bool on_arrival = false;  // else in event-time order, once the watermark has passed them
  bool waits() const { return kind != Kind::Dedup && !on_arrival; }
  uint32_t fields = 0;
  std::vector<Frame> frames;
  std::vector<uint32_t> frame_of;  // of each aggregate behind the row's values: index in `frames`
  // Of a scan, over the row's values, State and Local. First all of `binds`, in their order; if one
  // fails, so does the row, and nothing has happened. Then the key's state is set, and rows leave.
  struct Bind {
    uint32_t local;
    Expr value;
  };
  struct Emit {
    std::optional<Expr> condition;  // bool
    std::vector<Expr> values;       // of the node's row
  };
  struct Scan {
    uint32_t state_begin = 0;  // fields of the node's state from here on belong to the key
    std::vector<Bind> binds;
    std::vector<StateAssign> assigns;
    std::vector<Emit> emits;
  };
  std::optional<Scan> scan;
};

struct KeyedNode {
  std::string id;  // identity of state: stream, pipes, kind, count ("counts.window.0")
  std::optional<WindowSpec> window;  // none: running groups (one pane for ever)
  std::vector<KeyColumn> keys;
  std::vector<StateField> state;
  std::vector<AggregateUse> aggregates;
  std::optional<KeptRows> rows;  // then there is no window
  NodeId late = kNoNode;         // RowsNode that late rows go to, or none (counted)
};
// The row of a KeyedNode: [window_start, window_end: timestamp(us)] keys…, aggregates…; of one that
// keeps rows: the row's fields, aggregates…; of a scan: what it emits

enum class EmitMode : uint8_t { Append, Update, Complete };
struct SinkNode {
  std::string name;
  std::string connector;  // "kafka", "file", "stdout", "discard", "collect" (tests)
  std::string address;
  std::vector<OptionValue> options;
  std::string format;  // "json"
  std::optional<Expr>
      key;  // over the row: what the record's key is made of; a MakeRecord for several
  EmitMode emit = EmitMode::Append;
  int64_t every_us = 0;  // 0: immediately, at each commit
  std::string deliver;   // "exactly_once" or "at_most_once": the proven level
};

struct UnionNode {};

struct Node {
  NodeId id = 0;
  std::variant<SourceNode, RowsNode, KeyedNode, UnionNode, SinkNode> is;
  std::vector<NodeId> inputs;
  RecordId row = 0;  // the type of its output rows; a sink's: of its input
  EdgeKind kind = EdgeKind::Append;
  std::string stream;  // the named stream that it belongs to, for messages, errors and metrics
  dsl::Span span;
};

// ---------------------------------------------------------------- stages

// What a stage does with a row, a tree: each step hands its row to all its `next`.
struct StageStep {
  struct Where {
    Expr predicate;
  };
  struct Project {
    RecordId row;
    std::vector<Expr> values;
  };
  struct Flatten {
    Expr container;
    std::vector<uint32_t> locals;
  };
  struct Update {
    NodeId keyed;
    std::vector<StageStep> late;
  };  // pane pre-aggregation; rows late for all windows go on in `late`
  struct Scan {
    NodeId keyed;
  };  // what a scan does with a row of its key; its `next` get what it emits
  struct Emit {
    NodeId sink;
  };  // encode and hand over
  std::variant<Where, Project, Flatten, Update, Scan, Emit> is;
  std::string stream;  // in which a failing row is dead-lettered
  std::vector<StageStep> next;
};

// The longest run of operators without an exchange. Its input is records of a source, or groups
// that a keyed node fires (KeyField, WindowStart, WindowEnd, and State through `finish`).
struct Stage {
  StageId id = 0;
  NodeId input = 0;                  // a SourceNode or a KeyedNode
  EmitMode emit = EmitMode::Append;  // of a keyed input: when its groups are handed to this stage
  int64_t every_us = 0;
  // The first steps read rows of `first_row`.
  std::vector<StageStep> steps;
};

struct Param {
  std::string name;
  Type type;
  std::optional<Constant> initial;
  bool secret = false;
};
struct TestCase;

struct Graph {
  Types types;
  std::vector<Node> nodes;
  std::vector<Param> params;
  std::vector<Stage> stages;  // filled in by fuse_stages
};

// The rows that a stage begins with: those of its input; of a scan those that it keeps.
RecordId first_row(const Graph& graph, const Stage& stage);

}  // namespace weir::compiler
