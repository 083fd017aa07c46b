#include "codegen/formats/json_tree.h"

#include <algorithm>

#include "stdlib/engine/json_order.h"

namespace weir::codegen {

using compiler::TypeKind;

JsonTree::JsonTree(const DecoderRequest& request)
    : types_(request.types), record_(request.source.record) {
  nodes.emplace_back();
  for (const UsedPath& path : request.used) {
    JsonNode* node = &nodes.front();
    const compiler::RecordType* record = &types_.records[record_];
    for (uint32_t field : path.fields) {
      node = child(*node, record->fields[field]);
      if (node->type.is(TypeKind::Record)) record = &types_.record(node->type);
    }
    leaves.push_back(node);
  }
  place_tests(request.early);
  for (JsonNode& node : nodes) {
    // A record of which only the presence is asked for, too.
    node.by_parts = !node.parent || !node.children.empty() || node.type.is(TypeKind::Record);
    for (size_t i = 0; i < leaves.size(); i++) {
      if (leaves[i] == &node && node.children.empty() && !request.used[i].presence_only)
        node.by_parts = false;
    }
    if (node.by_parts) place_order(node);
  }
}

const compiler::RecordType& JsonTree::record_of(const JsonNode& node) const {
  return node.parent ? types_.record(node.type) : types_.records[record_];
}

JsonNode* JsonTree::child(JsonNode& parent, const compiler::Field& field) {
  for (JsonNode* child : parent.children) {
    if (child->field == &field) return child;
  }
  nodes.emplace_back();
  JsonNode* node = &nodes.back();
  node->number = uint32_t(nodes.size() - 1);
  node->field = &field;
  node->type = field.type;
  node->parent = &parent;
  node->name = parent.parent ? parent.name + "." + field.name : field.name;
  parent.children.push_back(node);
  for (JsonNode* above = &parent; above; above = above->parent)
    above->descendants.push_back(node->number);
  return node;
}

void JsonTree::place_order(JsonNode& node) {
  size_t fields = record_of(node).fields.size();
  auto keys = uint32_t(node.children.size());
  node.steps_max = uint32_t(std::min<size_t>(64, fields + fields / 2 + 8));
  // Objects that come late in a wide schema do without an order: every key is looked up.
  if (learned_bytes + weir_json_order_bytes(keys, node.steps_max) > kLearnedBytes)
    node.steps_max = 0;
  node.order_offset = learned_bytes;
  learned_bytes += (weir_json_order_bytes(keys, node.steps_max) + 63) & ~uint64_t{63};
}

// Tests are kept where a record that fails the first of them can do without something.
void JsonTree::place_tests(const EarlyTests& early) {
  auto key_of = [&](uint32_t path) {
    JsonNode* key = leaves[path];
    while (key->parent->parent) key = key->parent;
    return key;
  };
  std::vector<JsonNode*>& keys = root().children;
  if (early.tests.empty()) return;
  for (JsonNode* key : keys) key->always = false;
  for (uint32_t path : early.always) key_of(path)->always = true;

  const std::vector<compiler::Field>& fields = record_of(root()).fields;
  std::optional<size_t> behind;
  for (const std::vector<uint32_t>& paths : early.tests) {
    JsonTest test;
    test.paths = paths;
    for (uint32_t path : paths) {
      JsonNode* key = key_of(path);
      test.numbers.push_back(leaves[path]->number);
      if (std::find(test.keys.begin(), test.keys.end(), key) == test.keys.end())
        test.keys.push_back(key);
      auto place = size_t(key->field - fields.data());
      behind = std::max(behind.value_or(0), place);
    }
    bool spares = std::any_of(keys.begin(), keys.end(), [&](const JsonNode* key) {
      return !key->always && size_t(key->field - fields.data()) > *behind;
    });
    if (spares) test.behind = behind;
    tests.push_back(std::move(test));
  }
  bool spares = std::any_of(keys.begin(), keys.end(), [&](JsonNode* key) {
    const std::vector<JsonNode*>& first = tests.front().keys;
    return !key->always && std::find(first.begin(), first.end(), key) == first.end();
  });
  if (!spares) tests.clear();

  // Where values are found all at once, they are read in this order.
  auto rank = [&](const JsonNode* key) {
    for (size_t i = 0; i < tests.size(); i++) {
      if (std::find(tests[i].keys.begin(), tests[i].keys.end(), key) != tests[i].keys.end())
        return i;
    }
    return tests.size() + !key->always;
  };
  std::sort(keys.begin(), keys.end(), [&](const JsonNode* a, const JsonNode* b) {
    return std::pair(rank(a), a->number) < std::pair(rank(b), b->number);
  });
}

}  // namespace weir::codegen
