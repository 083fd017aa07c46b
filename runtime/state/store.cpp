#include "runtime/state/store.h"

#include <algorithm>

namespace weir::runtime {

Result<std::vector<Store::CheckpointFile>> Store::checkpoint(const std::string& directory) {
  return Status::error(Exit::NotSupported,
                       "state in memory has no snapshots (`" + directory + "`)");
}

Status Store::replace(const std::string& directory) {
  return Status::error(Exit::NotSupported,
                       "state in memory has no snapshots (`" + directory + "`)");
}

Result<std::vector<StoreOperator>> store_operators(const Program& program) {
  std::vector<StoreOperator> operators;
  for (const KeyedInfo& keyed : program.keyed) {
    Result<StateValueCodec> codec = StateValueCodec::make(*keyed.keyed);
    if (!codec.ok()) return codec.take_status();
    bool updates = std::any_of(keyed.emissions.begin(), keyed.emissions.end(), [](const auto& e) {
      return e.emission->mode() == contract::Emission::UPDATE;
    });
    operators.push_back({keyed.keyed->identity(), {&keyed, std::move(*codec)}, updates});
  }
  return operators;
}

}  // namespace weir::runtime
