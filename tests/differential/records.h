// Random records of a schema: their JSON, and what each field is for whoever reads it.
#pragma once

#include "compiler/type.h"
#include "tests/differential/value.h"
#include "tests/simulation/random.h"

namespace weir::differential {

using simulation::Random;

struct Record {
  // A key and its value; of a record its parts instead.
  struct Part {
    std::string key, json;
    std::vector<Part> inside;
    bool there() const { return !json.empty() || !inside.empty(); }
  };
  std::vector<Part> parts;    // of the object; a field that is absent has none
  std::vector<Value> fields;  // by the schema
};

// Values at the limits are frequent, bad ones are not rare. Field 0 is `id`, good and in order.
Record random_record(const compiler::Types& types, const compiler::RecordType& schema, int64_t id,
                     Random& random);

// As it stands in a topic. Order 0 is the schema's, 1 the reverse; others are random, with spaces,
// unknown keys, and keys that stand twice.
std::string json_of(const Record& record, int order, Random& random);

}  // namespace weir::differential
