// The stage ABI: compiled code ↔ runtime. JIT and ahead-of-time binaries fill the same structs and
// are called in the same way. Every struct starts with nothing hidden: sizes and offsets are
// asserted below, and a change of any of them is a new kStageAbiVersion.
#pragma once

#include "stdlib/engine/output.h"
#include "stdlib/engine/panes.h"
#include "stdlib/kernel.h"

inline constexpr uint32_t kStageAbiVersion = 2;
inline constexpr int64_t kNoEventTime = INT64_MIN;  // nothing seen yet
inline constexpr int64_t kNeverFires = INT64_MAX;

struct WeirRecord;
// One of a record's headers as a stage sees it: an entry of a map<string, bytes?>
// (compiler/layout.h).
struct WeirHeader {
  WeirBytes key;
  WeirBytes value;
  uint8_t present;  // 0: the header has no value
  uint8_t reserved[7];
};
// What WeirRecord::headers points to begins with this. Only a stage that reads headers pays for
// them.
struct WeirHeaders {
  // The headers in their order, of equal names the first; made in `arena`.
  WeirList (*entries)(const WeirHeaders* headers, const WeirRecord* record, WeirArena* arena);
};

// A record view, valid until the stage returns. `value` null: a record without a value.
struct WeirRecord {
  const char* value;
  const char* key;  // null: none
  uint32_t value_size;
  uint32_t key_size;
  int64_t offset;
  int64_t timestamp_ms;        // −1: none
  const WeirHeaders* headers;  // null: none
  int32_t leader_epoch;        // −1: unknown
  uint8_t timestamp_type;      // 0 none, 1 create time, 2 log append time
  uint8_t reserved[3];
};

// A group that a keyed operator fires. `accumulator` starts with a WeirGroupHeader.
struct WeirFired {
  const char* key;  // canonical key bytes (stdlib/engine/key.h)
  uint64_t key_size;
  const char* accumulator;
  int64_t window_start;  // microseconds; 0 without a window
  int64_t window_end;
  int64_t event_time;     // window_end − 1 µs; without a window that of its last row
  char* state = nullptr;  // of a scan: what is kept of the key, laid out as `accumulator`; the
                          // stage changes it, with texts in its arena
};

// Input of one call: rows `next` … `count` of one partition, or fired groups. The stage advances
// `next`.
struct WeirBatch {
  uint32_t port;  // 0; joins have two
  uint32_t count;
  uint32_t next;  // in: where to go on; out: the first row not yet taken
  int32_t partition;
  WeirBytes topic;
  const WeirRecord* records;  // one of these two, by the stage's kind
  const WeirFired* fired;

  // Event time of the partition that the rows are from (source stages).
  int64_t event_time_max;  // in and out: greatest seen, kNoEventTime if none; counts every row with
                           // an event time
  int64_t watermark_others;  // minimum over the other live partitions; INT64_MAX if there is none
  // The watermark never goes back: W = max(watermark_floor, min(watermark_others, event_time_max −
  // delay)). Fired groups: W is the floor.
  int64_t watermark_floor;
  int64_t fire_at;  // stop behind the row that brings W to this or beyond (kNeverFires: don't)
};

// A row that is put aside. `detail` lies in the stage's arena or is constant.
struct WeirRowError {
  uint32_t row;  // index in the batch
  WeirReason reason;
  uint32_t stream;  // index in Plan.streams: where it failed
  uint32_t reserved;
  WeirBytes detail;  // "amount: wrong_type at byte 57", field first
};
// Rows put aside in this call, in their order. The runtime takes them after each call.
struct WeirErrors {
  WeirRowError* rows;
  uint32_t count;
  uint32_t capacity;
  bool (*grow)(WeirErrors* errors);
  void* owner;
};

struct WeirCounters {
  uint64_t rows_in;    // records or groups read
  uint64_t rows_late;  // input rows late for all windows of a keyed operator
  uint64_t rows_out;   // handed to sinks
  uint64_t json_slow;  // records that did not come in the expected key order
};

// What a stage needs, one per lane and stage. Made by the runtime, at an address that does not
// change.
struct WeirStage {
  uint32_t abi_version;
  uint32_t size;       // of this struct
  const void* params;  // values of the program's parameters (Plan.params)
  WeirArena* arena;    // scratch, reset by the runtime between calls
  WeirPanes**
      panes;  // partial state of each of Plan.keyed (null where this stage does not update it)
  WeirOutput** outputs;  // one per sink, by Plan.sinks' `output`
  WeirErrors* errors;
  void* learned;  // kLearnedBytes of zeroed memory that belongs to the stage's decoder: key orders
  WeirCounters counters;
  void* runtime;  // for the runtime's own callbacks
};
inline constexpr uint64_t kLearnedBytes = 65536;

enum WeirStageResult : int32_t {
  kStageDone = 0,   // all rows taken
  kStageFires = 1,  // stopped behind a row that brought the watermark to fire_at
  kStageFull = 2,   // an output or the partial state is full: take them away and call again
};

using WeirStageFunction = int32_t (*)(WeirStage* stage, WeirBatch* batch);
// Merges `from` into `into`. Texts that `into` takes over are copied to `arena`.
using WeirMergeFunction = void (*)(char* into, const char* from, WeirArena* arena);

struct WeirStageImage {
  uint32_t stage;  // Stage.id of the plan
  uint32_t reserved;
  WeirStageFunction run;
};
struct WeirKeyedImage {
  uint32_t keyed;  // Keyed.id of the plan
  uint32_t reserved;
  WeirMergeFunction merge;
};

// A whole pipeline, however it was compiled: looked up by ORC, or a constant in a binary.
struct WeirPipelineImage {
  uint32_t abi_version;
  uint32_t size;
  const char* plan;  // serialised contract.Plan
  uint64_t plan_size;
  const WeirStageImage* stages;
  const WeirKeyedImage* keyed;
  uint32_t stage_count;
  uint32_t keyed_count;
  const char* cpu;  // "x86-64-v3": what it was compiled for
};

// A binary holds one image for each CPU level, best first; the first that this machine can run is
// taken.
struct WeirBinary {
  const WeirPipelineImage* const* images;
  uint64_t count;
};

static_assert(sizeof(WeirRecord) == 56 && sizeof(WeirFired) == 56 && sizeof(WeirRowError) == 32);
static_assert(sizeof(WeirHeader) == 40 && sizeof(WeirHeaders) == 8);
static_assert(offsetof(WeirBatch, topic) == 16 && offsetof(WeirBatch, event_time_max) == 48 &&
              sizeof(WeirBatch) == 80);
static_assert(offsetof(WeirStage, counters) == 56 && sizeof(WeirStage) == 96);
static_assert(sizeof(WeirPipelineImage) == 56);
