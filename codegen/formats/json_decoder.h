// JSON: what writes the code that decodes a record. json_decode.cpp says how it runs.
#pragma once

#include <vector>

#include "codegen/formats/format.h"
#include "codegen/formats/json_tree.h"
#include "codegen/formats/json_types.h"
#include "stdlib/engine/json_flat.h"

namespace weir::codegen {

class JsonDecoder final : public Decoder {
 public:
  explicit JsonDecoder(const DecoderRequest& request);

  // False: something in the request is not supported yet.
  bool supported() const;

  void prologue(Emit& emit) override;
  DecodedRecord record(Emit& emit, llvm::Value* data, llvm::Value* size,
                       const EarlyTest& test) override;
  Failure why(Emit& emit, uint32_t path) override;

 private:
  // A way through an object's keys.
  struct Walk {
    llvm::Value* steps;    // WeirJsonStep*
    llvm::Value* step_at;  // local: the next one
    llvm::Value* action_at;
    llvm::Value* begin;      // of the object
    llvm::BasicBlock* next;  // the loop over the keys
    llvm::BasicBlock* end;   // behind the closing brace
  };

  // ---- keys (json_keys.cpp)
  void object(Emit& emit, JsonNode& node, bool straight);
  void straight_keys(Emit& emit, JsonNode& node, const Walk& walk);
  void loop_over_keys(Emit& emit, JsonNode& node, const Walk& walk);
  void take_flat(Emit& emit, JsonNode& node, const Walk& walk, llvm::BasicBlock* act);
  void try_flat(Emit& emit, JsonNode& node, const Walk& walk);
  void skip_value(Emit& emit, const std::string& name);
  void stop_early(Emit& emit, llvm::BasicBlock* next);
  void missing(Emit& emit, JsonNode& node);

  // ---- tests while a record is read (json_early.cpp)
  void tests_behind(Emit& emit, size_t field);
  void tests_between(Emit& emit, llvm::BasicBlock* next);
  void ask(Emit& emit, uint32_t number, bool look);
  bool is_tested(const JsonNode& node) const;

  // ---- values (json_values.cpp)
  void value_of(Emit& emit, JsonNode& node, bool straight, llvm::BasicBlock* next);
  void go_behind(Emit& emit, llvm::Value* value, llvm::Value* behind);
  llvm::Value* read(Emit& emit, JsonNode& node, llvm::Value* p, llvm::Value** behind,
                    llvm::Value** size);
  void fail_value(Emit& emit, JsonNode& node, llvm::Value* at, llvm::Value* reason,
                  llvm::BasicBlock* next);
  void spoil(Emit& emit, JsonNode& node);
  void reset(Emit& emit, JsonNode& node);
  void make_null(Emit& emit, JsonNode& node);
  DecodedField decoded(Emit& emit, uint32_t path);

  // ---- the record
  void finish(Emit& emit);
  llvm::Value* is_null(Emit& emit, llvm::Value* pointer) {
    return emit.ir.CreateICmpEQ(pointer, llvm::ConstantPointerNull::get(emit.ptr()));
  }
  llvm::Value* bit(Emit& emit, const std::vector<llvm::Value*>& words, const JsonNode& node);
  // i1: of the bits of `numbers` all are set, or one is.
  llvm::Value* all_of(Emit& emit, const std::vector<llvm::Value*>& words,
                      const std::vector<uint32_t>& numbers);
  llvm::Value* any_of(Emit& emit, const std::vector<llvm::Value*>& words,
                      const std::vector<uint32_t>& numbers);
  void mark(Emit& emit, const std::vector<llvm::Value*>& words,
            const std::vector<uint32_t>& numbers);
  llvm::Constant* node_names(Emit& emit);
  llvm::Constant* reason_names(Emit& emit);

  const compiler::SourceNode& source_;
  std::vector<UsedPath> used_;
  JsonTree tree_;
  JsonTypes json_types_;
  llvm::Constant* node_names_ = nullptr;
  llvm::Constant* reason_names_ = nullptr;

  std::vector<llvm::Value*> seen_, bad_;  // locals: words of bits
  llvm::Value* reasons_ = nullptr;        // frame memory: u32 for each node, written when it is bad
  llvm::Value* positions_ = nullptr;
  llvm::Value* p_ = nullptr;            // local: the position
  llvm::Value* length_ = nullptr;       // local: the expected value's WeirJsonLength
  llvm::Value* missed_ = nullptr;       // local: a key was not where it was expected
  llvm::Value* flat_at_ = nullptr;      // local: 0, or a place in
  llvm::Value* flat_values_ = nullptr;  // frame memory: what weir_json_flat found
  llvm::Value* reason_ = nullptr;       // local in memory, for calls
  llvm::Value* last_reason_ = nullptr;
  llvm::Value* detail_ = nullptr;
  llvm::Value* begin_ = nullptr;
  llvm::Value* end_ = nullptr;
  llvm::BasicBlock* malformed_ = nullptr;
  llvm::BasicBlock* done_ = nullptr;

  const EarlyTest* test_ = nullptr;
  llvm::Value* passed_ = nullptr;        // local: how many tests were true
  llvm::Value* dropped_ = nullptr;       // local: one was false
  llvm::BasicBlock* between_ = nullptr;  // tests_between, from the loop
  llvm::BasicBlock* drop_ = nullptr;     // a test was false
};

}  // namespace weir::codegen
