#include "runtime/connectors/connectors.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/connectors/line_reader.h"
#include "runtime/connectors/options.h"
#include "runtime/scratch_directory.h"

namespace weir::runtime {
namespace {

struct Directory {
  ScratchDirectory scratch;
  std::filesystem::path path = scratch.path;
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path / name, std::ios::binary) << text;
    return (path / name).string();
  }
  std::string text(const std::string& name) const {
    std::ostringstream all;
    all << std::ifstream(path / name, std::ios::binary).rdbuf();
    return all.str();
  }
};

using Options = std::map<std::string, std::string>;

struct Given {
  contract::Plan plan;
  contract::Source source;
  contract::Sink sink;
  Given(const std::string& connector, const std::string& address = "") {
    source.set_name("s");
    source.set_connector(connector);
    source.set_address(address);
    sink.set_name("s");
    sink.set_connector(connector);
    sink.set_address(address);
  }
  Result<std::unique_ptr<Feed>> feed(const Options& options = {}) {
    return open_feed({&plan, &source, options});
  }
  std::unique_ptr<Sink> open_the_sink() {
    auto opened = open_sink({&plan, &sink, {}});
    REQUIRE(opened.ok());
    return std::move(*opened);
  }
};

using Lines = std::vector<std::pair<int64_t, std::string>>;
Lines read_all(Feed& feed, const TopicPartition& partition, uint32_t rows_max,
               int64_t* next = nullptr) {
  Lines lines;
  while (true) {
    Fetched fetched = feed.fetch(partition, rows_max);
    for (uint32_t i = 0; fetched.batch && i < fetched.batch->count; i++) {
      const WeirRecord& record = fetched.batch->records[i];
      lines.emplace_back(record.offset, std::string(record.value, record.value_size));
    }
    if (next) *next = fetched.next_offset;
    if (fetched.at_end || !fetched.batch) return lines;
  }
}

}  // namespace

TEST_CASE("a connector that does not exist is named") {
  Given given("carrier_pigeon");
  Status status = given.feed().take_status();
  CHECK(status.exit() == Exit::NotSupported);
  CHECK(status.message().find("carrier_pigeon") != std::string::npos);
  CHECK(open_sink({&given.plan, &given.sink, {}}).status().exit() == Exit::NotSupported);
}

TEST_CASE("options: types, ranges, instants") {
  Options given{
      {"n", "12"}, {"bad", "12x"}, {"f", "0.5"}, {"b", "true"}, {"t", "2025-01-01T00:00:01.5Z"},
      {"u", "7"}};
  ConnectorOptions options("source `s`", given);
  CHECK(options.integer("n", 0, 0, 100) == 12);
  CHECK(options.integer("none", 5, 0, 100) == 5);
  CHECK(options.number("f", 0, 0, 1) == 0.5);
  CHECK(options.flag("b", false));
  CHECK(options.instant_us("t", 0) == 1735689601500000);
  CHECK(options.instant_us("u", 0) == 7);
  CHECK(options.status().ok());
  options.integer("bad", 0, 0, 100);
  CHECK(options.status().message() ==
        "source `s`: option `bad` is `12x` where a whole number from 0 to 100 is wanted");
}

TEST_CASE("lines: both ends of line, empty ones, a last one without an end") {
  Directory directory;
  std::string path = directory.file("a.jsonl", "{1}\n{22}\r\n\n\r\n{333}");
  for (uint32_t rows : {1u, 2u, 100u}) {
    Given given("file", path);
    auto feed = std::move(*given.feed());
    CHECK(feed->bounded());
    CHECK(feed->replayable());
    REQUIRE(feed->start({}).ok());
    CHECK(feed->size() == 18);
    int64_t next = 0;
    CHECK(read_all(*feed, {path, 0}, rows, &next) == Lines{{0, "{1}"}, {4, "{22}"}, {13, "{333}"}});
    CHECK(next == 18);
  }
}

TEST_CASE("a file is read again from a position") {
  Directory directory;
  std::string path = directory.file("a.jsonl", "one\ntwo\nthree\n");
  Given given("file", path);
  auto feed = std::move(*given.feed());
  REQUIRE(feed->start({{{path, 0}, {4, -1}}}).ok());
  CHECK(read_all(*feed, {path, 0}, 10) == Lines{{4, "two"}, {8, "three"}});
  REQUIRE(feed->start({{{path, 0}, {14, -1}}}).ok());
  CHECK(read_all(*feed, {path, 0}, 10).empty());
  Status cut = feed->start({{{path, 0}, {15, -1}}});
  CHECK(cut.exit() == Exit::BadData);
}

TEST_CASE("a glob's files are partitions in the order of their names; none is an error") {
  Directory directory;
  directory.file("b.jsonl", "b\n");
  directory.file("a.jsonl", "a\n");
  Given given("file", (directory.path / "*.jsonl").string());
  auto partitions = (*given.feed())->partitions();
  REQUIRE(partitions.ok());
  REQUIRE(partitions->size() == 2);
  CHECK((*partitions)[0].topic == (directory.path / "a.jsonl").string());
  Given none("file", (directory.path / "*.csv").string());
  CHECK((*none.feed())->partitions().status().exit() == Exit::Configuration);
}

TEST_CASE("parts of a file: every line once, whatever the cuts") {
  Directory directory;
  std::string text;
  size_t count = 0;
  for (int i = 0; i < 1000; i++, count++)
    text += std::string(static_cast<size_t>(i * 7 % 50) + 1, 'x') + "\n";
  std::string path = directory.file("a.jsonl", text);
  for (const char* parts : {"1", "2", "3", "16", "1000"}) {
    Given given("file", path);
    Options options{{"partitions", parts}};
    auto feed = std::move(*given.feed(options));
    REQUIRE(feed->start({}).ok());
    CHECK(feed->size() == static_cast<int64_t>(text.size()));
    Lines all;
    auto partitions = feed->partitions();
    for (const TopicPartition& partition : *partitions) {
      for (auto& line : read_all(*feed, partition, 33)) all.push_back(std::move(line));
    }
    CHECK(all.size() == count);
    int64_t at = 0;
    for (const auto& [offset, line] : all) {
      REQUIRE(offset == at);
      at += static_cast<int64_t>(line.size()) + 1;
    }
  }
}

TEST_CASE("large files: lines over the ends of blocks, long lines, batches that stay") {
  Directory directory;
  std::string text;
  for (int i = 0; i < 60'000; i++)
    text += "{\"number\":" + std::to_string(i) +
            ",\"padding\":\"0123456789012345678901234567890123\"}\n";
  std::string long_line(3 * LineReader::kBlockBytes, 'y');
  text += long_line + "\nend\n";
  std::string path = directory.file("a.jsonl", text);
  Given given("file", path);
  auto feed = std::move(*given.feed());
  REQUIRE(feed->start({}).ok());
  std::vector<Fetched> kept;
  do kept.push_back(feed->fetch({path, 0}, 4096));
  while (!kept.back().at_end);
  int64_t rows = 0;
  std::string last;
  for (const Fetched& fetched : kept) {
    for (uint32_t i = 0; fetched.batch && i < fetched.batch->count; i++, rows++) {
      const WeirRecord& record = fetched.batch->records[i];
      std::string line(record.value, record.value_size);
      REQUIRE(text.compare(static_cast<size_t>(record.offset), line.size(), line) == 0);
      if (rows == 60'000) CHECK(line == long_line);
      last = line;
    }
  }
  CHECK(rows == 60'002);
  CHECK(last == "end");
}

TEST_CASE("a file that is followed gives what is appended, and half a line only when it is whole") {
  Directory directory;
  std::string path = directory.file("a.jsonl", "one\ntw");
  Given given("file", path);
  Options options{{"follow", "true"}};
  auto feed = std::move(*given.feed(options));
  CHECK(!feed->bounded());
  REQUIRE(feed->start({}).ok());
  TopicPartition partition{path, 0};
  int64_t next = 0;
  CHECK(read_all(*feed, partition, 10, &next) == Lines{{0, "one"}});
  CHECK(next == 4);
  std::ofstream(path, std::ios::app) << "o\nthree\n";
  CHECK(read_all(*feed, partition, 10, &next) == Lines{{4, "two"}, {8, "three"}});
  CHECK(feed->fetch(partition, 10).at_end);
}

TEST_CASE("lines of a pipe come as they are written, the end when it is closed") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  LineReader reader({.fd = ends[0], .seekable = false}, 0);
  Fetched none = reader.fetch(10);
  CHECK(!none.batch);
  CHECK(!none.at_end);
  REQUIRE(write(ends[1], "one\ntw", 6) == 6);
  Fetched one = reader.fetch(10);
  REQUIRE(one.batch);
  CHECK(one.batch->count == 1);
  CHECK(!reader.fetch(10).batch);
  REQUIRE(write(ends[1], "o", 1) == 1);
  close(ends[1]);
  Fetched two = reader.fetch(10);
  REQUIRE(two.batch);
  CHECK(std::string_view(two.batch->records[0].value, two.batch->records[0].value_size) == "two");
  CHECK(two.batch->records[0].offset == 4);
  CHECK(reader.fetch(10).at_end);
  CHECK(std::string_view(one.batch->records[0].value, 3) == "one");
  close(ends[0]);
}

TEST_CASE("a file sink goes back to its position, and no row is in the file twice") {
  Directory directory;
  std::string path = directory.file("out.jsonl", "from an older run\n");
  Given given("file", path);
  auto sink = given.open_the_sink();
  REQUIRE(sink->start("").ok());
  REQUIRE(sink->write("a", nullptr).ok());
  REQUIRE(sink->flush().ok());
  std::string position = sink->position();
  REQUIRE(sink->write("not committed", nullptr).ok());
  REQUIRE(sink->flush().ok());
  CHECK(directory.text("out.jsonl") == "a\nnot committed\n");

  auto again = given.open_the_sink();
  REQUIRE(again->start(position).ok());
  REQUIRE(again->write("b", nullptr).ok());
  REQUIRE(again->flush().ok());
  CHECK(directory.text("out.jsonl") == "a\nb\n");
  CHECK(again->position() == "4");
  CHECK(again->start("5").exit() == Exit::BadData);
  CHECK(again->start("x").exit() == Exit::Bug);
  Given nowhere("file", (directory.path / "none" / "out").string());
  CHECK(nowhere.open_the_sink()->start("").exit() == Exit::Configuration);
}

TEST_CASE("a disk that is full is said to be") {
  if (access("/dev/full", W_OK) != 0) return;
  Given given("file", "/dev/full");
  CHECK(given.open_the_sink()->start("").exit() == Exit::Configuration);  // not a file
}

TEST_CASE("options that are not there yet are refused") {
  Given given("file", "x");
  Options options{{"roll_bytes", "1"}};
  CHECK(open_sink({&given.plan, &given.sink, options}).status().exit() == Exit::NotSupported);
  Options both{{"follow", "true"}, {"partitions", "2"}};
  CHECK(given.feed(both).status().exit() == Exit::Configuration);
}

}  // namespace weir::runtime
