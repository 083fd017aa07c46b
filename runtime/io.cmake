# What stands between the runtime and the world: the log in memory, connectors.
set(WEIR_RUNTIME_IO_SOURCES
  status.cpp crc32c.cpp
  memory_log.cpp memory_log_group.cpp memory_log_partition.cpp
  connectors/connectors.cpp connectors/line_reader.cpp connectors/options.cpp connectors/output_buffer.cpp
  connectors/kafka/client_librdkafka.cpp connectors/kafka/consumer.cpp connectors/kafka/handle.cpp
  connectors/kafka/fetch_choice.cpp
  connectors/kafka/fetch/buffer.cpp connectors/kafka/fetch/connection.cpp
  connectors/kafka/fetch/decompress.cpp connectors/kafka/fetch/endpoint.cpp connectors/kafka/fetch/fetcher.cpp
  connectors/kafka/fetch/io.cpp connectors/kafka/fetch/io_authenticate.cpp connectors/kafka/fetch/io_leaders.cpp
  connectors/kafka/fetch/io_links.cpp
  connectors/kafka/fetch/io_records.cpp connectors/kafka/fetch/partition.cpp connectors/kafka/fetch/protocol.cpp
  connectors/kafka/fetch/record_batch.cpp connectors/kafka/fetch/resolver.cpp connectors/kafka/fetch/sasl.cpp
  connectors/kafka/fetch/scram.cpp connectors/kafka/fetch/session.cpp
  connectors/kafka/fetch/tls.cpp connectors/kafka/fetch/transport.cpp
  connectors/kafka/partitioner.cpp connectors/kafka/producer.cpp connectors/kafka/reader.cpp
  connectors/kafka/settings.cpp
  connectors/file/feed.cpp connectors/file/sink.cpp
  connectors/generate/compile_rows.cpp connectors/generate/feed.cpp connectors/generate/row_writer.cpp
  connectors/stdin/feed.cpp
  connectors/stdout/sink.cpp
  connectors/discard/sink.cpp
  )
set(WEIR_RUNTIME_IO_TESTS
  memory_log_test.cpp
  connectors/connectors_test.cpp
  connectors/generate/generate_test.cpp
  connectors/kafka/partitioner_test.cpp
  connectors/kafka/fetch/batch_for_tests.cpp connectors/kafka/fetch/partition_test.cpp
  connectors/kafka/fetch/protocol_test.cpp connectors/kafka/fetch/record_batch_test.cpp
  connectors/kafka/fetch/fake_broker_for_tests.cpp connectors/kafka/fetch/fetcher_test.cpp
  connectors/kafka/fetch/resolver_test.cpp connectors/kafka/fetch/sasl_test.cpp connectors/kafka/fetch/tls_test.cpp
  )
# A program of its own: it wants a broker, WEIR_TEST_BROKERS=127.0.0.1:19092.
set(WEIR_KAFKA_TESTS connectors/kafka/client_test.cpp)
if(COMMAND weir_room)
  add_executable(kafka_test ${WEIR_KAFKA_TESTS} ${CMAKE_SOURCE_DIR}/tools/cmake/doctest_main.cpp)
  target_link_libraries(kafka_test PRIVATE weir_runtime weir_flags)
endif()
