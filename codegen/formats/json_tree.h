// JSON: the keys of a record that are read, as the objects in it lie in each other.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "codegen/formats/format.h"

namespace weir::codegen {

// A key that is read, or (the root) the record.
struct JsonNode {
  uint32_t number = 0;  // its bit in `seen` and `bad`
  std::string name;     // "user.address": for details
  const compiler::Field* field = nullptr;
  compiler::Type type;
  JsonNode* parent = nullptr;
  std::vector<JsonNode*> children;  // an object that is read by its parts; else the value is wanted
  std::vector<uint32_t> descendants;  // numbers
  bool by_parts = false;              // the root, and objects that are read by their parts
  bool always = true;  // false: a record that failed a test does without it (keys of the root)

  // Locals: the value, as Value has it (bool and presence as bytes).
  llvm::Value* value = nullptr;
  llvm::Value* size = nullptr;
  llvm::Value* present = nullptr;

  // Objects: where its order lies in WeirStage::learned, its keys (WeirJsonKeys).
  uint64_t order_offset = 0;
  uint32_t steps_max = 0;
  llvm::Value* order = nullptr;
  llvm::Constant* keys = nullptr;

  bool is_required() const { return !field->type.optional && !field->initial; }
};

// A condition that is tested while the record is read.
struct JsonTest {
  std::vector<uint32_t> paths;    // that it reads, by number
  std::vector<JsonNode*> keys;    // of the root: when they have been read, it may be asked
  std::vector<uint32_t> numbers;  // of the nodes that must be good
  // It is asked behind this key of the schema, where keys come in the schema's order. None: there
  // is nothing behind that a record which fails it could do without.
  std::optional<size_t> behind;
};

class JsonTree {
 public:
  explicit JsonTree(const DecoderRequest& request);
  JsonTree(const JsonTree&) = delete;
  JsonTree& operator=(const JsonTree&) = delete;

  JsonNode& root() { return nodes.front(); }
  const compiler::RecordType& record_of(const JsonNode& node) const;

  std::deque<JsonNode> nodes;     // the first is the root; addresses hold
  std::vector<JsonNode*> leaves;  // parallel to the used paths
  std::vector<JsonTest> tests;
  uint64_t learned_bytes = 0;

 private:
  JsonNode* child(JsonNode& parent, const compiler::Field& field);
  void place_order(JsonNode& node);
  void place_tests(const EarlyTests& early);

  const compiler::Types& types_;
  compiler::RecordId record_;
};

}  // namespace weir::codegen
