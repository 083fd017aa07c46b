// Which client reads a consumer's records: native fetch (fetch/), or librdkafka.
#pragma once

#include <optional>

#include "runtime/connectors/kafka/fetch/fetcher.h"
#include "runtime/log.h"

namespace weir::runtime::kafka {

// What native fetch is to do; nothing: librdkafka reads. Where the program leaves the choice and
// has properties that native fetch does not follow, librdkafka reads, and `properties.say` is told
// why; where it wants native fetch, that is an error.
Result<std::optional<fetch::FetchOptions>> choose_fetch(const ClientProperties& properties,
                                                        const GroupOptions& options,
                                                        int32_t partitions);

}  // namespace weir::runtime::kafka
