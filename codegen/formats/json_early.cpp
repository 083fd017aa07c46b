// JSON: conditions that are tested while a record is still being read.
//
// A record that fails one is *dropped*: of its rest only what such a record needs is read, by the
// loop over its keys; the other values are skipped. It must still be a whole record; whether it is
// malformed does not depend on a test. Results and errors are the same as if the test had waited:
// - A test is asked only when its fields are good. An error in one of them, or in the test itself,
//   leaves all to the condition behind the record, and so do tests that come after.
// - Whatever a dropped record does without is read by nobody.
#include <algorithm>

#include "codegen/formats/json_decoder.h"

namespace weir::codegen {

bool JsonDecoder::is_tested(const JsonNode& node) const {
  return std::any_of(tree_.tests.begin(), tree_.tests.end(), [&](const JsonTest& test) {
    return std::find(test.keys.begin(), test.keys.end(), &node) != test.keys.end();
  });
}

// In the schema's order, behind its key number `field`: the tests whose fields are all known now.
void JsonDecoder::tests_behind(Emit& emit, size_t field) {
  for (uint32_t i = 0; i < tree_.tests.size(); i++) {
    if (tree_.tests[i].behind == field) ask(emit, i, false);
  }
}

// In any order, behind a key that a test reads: the tests that can be asked by now; and what
// becomes of a record that fails one. What it can do without counts as seen.
void JsonDecoder::tests_between(Emit& emit, llvm::BasicBlock* next) {
  emit.enter(between_);
  for (uint32_t i = 0; i < tree_.tests.size(); i++) ask(emit, i, true);
  emit.jump(next);

  emit.enter(drop_);
  emit.ir.CreateStore(emit.i8(1), dropped_);
  std::vector<uint32_t> spared;
  for (const JsonNode* key : tree_.root().children) {
    if (key->always) continue;
    spared.push_back(key->number);
    spared.insert(spared.end(), key->descendants.begin(), key->descendants.end());
  }
  mark(emit, seen_, spared);
  stop_early(emit, next);
}

// Goes to `drop_` if the test is false, else on behind. `look`: its keys may
// not have been read.
void JsonDecoder::ask(Emit& emit, uint32_t number, bool look) {
  llvm::IRBuilder<>& ir = emit.ir;
  const JsonTest& test = tree_.tests[number];
  llvm::Value* may = ir.CreateICmpEQ(ir.CreateLoad(ir.getInt32Ty(), passed_), emit.i32(number));
  if (look) {
    std::vector<uint32_t> keys;
    for (const JsonNode* key : test.keys) keys.push_back(key->number);
    may = ir.CreateAnd(may, all_of(emit, seen_, keys));
  }
  may = ir.CreateAnd(may, ir.CreateNot(any_of(emit, bad_, test.numbers)), "may");
  llvm::BasicBlock* asks = emit.block("json.asks");
  llvm::BasicBlock* behind = emit.block("json.asked");
  emit.branch(may, asks, behind);
  emit.enter(asks);
  ErrorTarget target = emit.begin_target("json.unasked");
  std::vector<DecodedField> fields(used_.size());
  for (uint32_t path : test.paths) {
    fields[path] = decoded(emit, path);
    fields[path].bad = nullptr;
  }
  llvm::Value* is_true = (*test_)(number, fields);
  ir.CreateStore(emit.i32(number + 1), passed_);
  emit.branch(is_true, behind, drop_);
  if (emit.end_target(target)) {
    emit.enter(target.block);
    emit.jump(behind);
  }
  emit.enter(behind);
}

}  // namespace weir::codegen
