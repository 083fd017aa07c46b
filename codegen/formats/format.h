// What a format is to code generation: an emitter that reads a record's used fields, and one that
// writes a row.
//
// A format specialises (schema, used fields, constants) and calls its kernels of the same file stem
// in stdlib; it knows nothing of operators. Adding one: codegen/formats/<name>.cpp, its kernels,
// one line in `formats.def` (FORMAT(json, make_json_decoder, make_json_encoder)).
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "codegen/emit.h"
#include "compiler/graph.h"

namespace weir::codegen {

// A value that somebody reads: field numbers from the source's record inwards, through records. {2}
// is the third field; {2, 0} the first of the record that it holds. The last one's type may be a
// record, list or map: then the whole value is wanted, laid out by Layout in the stage's arena.
// Where {2} is wanted, {2, 0} is never in the list (it is read from {2}), except {2} with
// `presence_only`, which asks only whether an optional record is there.
//
// `type` is the last field's. Of {2, 0} where {2} is optional and null: the value is there but
// means nothing, without an error: nobody reads it without having asked for {2}. A bad {2} makes
// {2, 0} bad.
struct UsedPath {
  std::vector<uint32_t> fields;
  compiler::Type type;
  bool presence_only = false;
};

// What decoding left for a path, as values that dominate everything behind `record`.
struct DecodedField {
  Value value;  // optional fields have `present`; presence_only: nothing but `present`
  llvm::Value* bad = nullptr;  // i1: the field has an error, `value` means nothing. null: never
};

// Conditions on a record's fields that may be tested while it is read. They hold for all rows that
// are wanted, one after the other.
struct EarlyTests {
  std::vector<std::vector<uint32_t>> tests;  // for each the paths that it reads, by number
  std::vector<uint32_t> always;              // paths that a row which fails one needs, too
};
// Is test number `test` true (i1)? `fields` is as `record` returns it; those of the test are there
// and good. May fail.
using EarlyTest = std::function<llvm::Value*(size_t test, const std::vector<DecodedField>& fields)>;

struct DecodedRecord {
  std::vector<DecodedField> fields;  // parallel to the used paths
  // Both null where nothing was tested. i1: a test was false, only the `always` paths mean
  // something, and there may be errors only in these. i1: all tests were true.
  llvm::Value* dropped = nullptr;
  llvm::Value* passed = nullptr;
};

// Errors are lazy: a bad field harms only a row that uses it. So `record` never fails for a field,
// it sets its `bad`, and `why` is called in cold blocks behind a use. On the fast path all `bad`s
// should be constants or bits of one mask that is 0.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Once, in the stage's prologue, before the row loop: frame memory, loads from
  // WeirStage::learned.
  virtual void prologue(Emit& emit) = 0;
  // One record, `data` not null. Emits decoding and ends in an open block. A malformed record
  // (structure): emit.fail(malformed …), whatever the tests say. Every branch that leaves otherwise
  // is a bug. A format need not test anything; a test that fails is one that was not asked.
  virtual DecodedRecord record(Emit& emit, llvm::Value* data, llvm::Value* size,
                               const EarlyTest& test) = 0;
  // In a cold block where `path` (its number) is known to be bad: reason, and detail with the
  // field's name first
  // ("amount: wrong_type at byte 57"), in the arena or constant. May decode again.
  virtual Failure why(Emit& emit, uint32_t path) = 0;
};

class Encoder {
 public:
  virtual ~Encoder() = default;
  virtual void prologue(Emit& emit) = 0;
  // Appends one row at `output`'s write position (WeirOutput*, `at`; weir_output_room for space),
  // begun and ended by the caller. `values` are the record's fields, already checked. A value that
  // can't be written (NaN …): emit.fail.
  virtual void row(Emit& emit, llvm::Value* output, const compiler::RecordType& record,
                   const std::vector<Value>& values) = 0;
};

struct DecoderRequest {
  const compiler::Types& types;
  const compiler::SourceNode& source;
  std::vector<UsedPath> used;  // in the order of the record's fields
  EarlyTests early;
};

// By SourceNode::format, SinkNode::format; null: no such format.
std::unique_ptr<Decoder> make_decoder(std::string_view format, const DecoderRequest& request);
std::unique_ptr<Encoder> make_encoder(std::string_view format, const compiler::Types& types,
                                      const compiler::SinkNode& sink);

}  // namespace weir::codegen
