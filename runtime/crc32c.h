// CRC-32C (Castagnoli), the checksum of record batches and of snapshots: by the CPU's own
// instruction where there is one, by tables otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::runtime {

uint32_t crc32c(const char* data, size_t size);
// Of what `before` is the checksum of, with these bytes behind it.
uint32_t crc32c_extend(uint32_t before, const char* data, size_t size);
// Without the instruction; for machines that have none, and for tests.
uint32_t crc32c_by_tables(const char* data, size_t size);

}  // namespace weir::runtime
