# What stands between the runtime and the world: the log in memory, connectors.
set(WEIR_RUNTIME_IO_SOURCES
  status.cpp
  memory_log.cpp memory_log_group.cpp memory_log_partition.cpp
  connectors/kafka/partitioner.cpp
  )
set(WEIR_RUNTIME_IO_TESTS
  memory_log_test.cpp
  connectors/kafka/partitioner_test.cpp
  )
