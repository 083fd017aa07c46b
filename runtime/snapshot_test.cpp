// Snapshots: what is lost comes back from them, what is damaged is stepped over, and changelogs
// hold no more than is needed.
#include "runtime/state/snapshot.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "runtime/fake_pipeline.h"
#include "runtime/names.h"
#include "runtime/scratch_directory.h"
#include "runtime/state/object_store.h"

using namespace weir;
using namespace weir::runtime;
namespace fs = std::filesystem;

namespace {

using Rows = std::vector<std::string>;

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_bytes(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}
std::vector<fs::path> files_below(const std::string& directory) {
  std::vector<fs::path> files;
  if (fs::exists(directory)) {
    for (const auto& entry : fs::recursive_directory_iterator(directory))
      if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct Failpoint {
  explicit Failpoint(const char* text) { setenv("WEIR_FAILPOINT", text, 1); }
  ~Failpoint() { unsetenv("WEIR_FAILPOINT"); }
};

// One pipeline whose machine may be lost: `state` is its disk, `kept` is where snapshots lie.
struct World {
  World() {
    make_topics(log);
    pipeline.size = pipeline.slide = 1000;
    pipeline.emissions[0].to_log = true;
  }

  // Rows for two hundred groups, one epoch for fifty rows; nothing fires.
  void append(int rows) {
    Rows more;
    for (int i = 0; i < rows; ++i, ++appended)
      more.push_back("key-" + std::to_string(appended % 200) + " 1 1");
    append_rows(log, more);
  }
  FakeRun run(Until until = Until::Now, bool snapshots = true) {
    RunOptions options = fake_options();
    options.until = until;
    options.state_dir = state.path;
    options.rows_per_batch = options.rows_per_epoch_max = 50;
    if (snapshots) options.snapshots = kept.path;
    options.snapshot_every_ms = 0;
    options.say = [this](const std::string& line, bool passing) {
      if (!passing) said += line + "\n";
    };
    return run_fake(pipeline, log, options);
  }
  void lose_disk() {
    for (const auto& entry : fs::directory_iterator(state.path)) fs::remove_all(entry.path());
  }
  // Everything fires: each row was counted once.
  void check_all_counted() {
    FakeRun last = run(Until::End);
    REQUIRE_MESSAGE(last.status.ok(), (last.status.ok() ? "" : last.status.message()));
    int counted = 0;
    size_t groups = 0;
    for (const auto& record : log.records({"out", 0})) {
      size_t at = record.value.find(") ");
      REQUIRE(at != std::string::npos);
      counted += std::atoi(record.value.c_str() + at + 2);
      ++groups;
    }
    CHECK(counted == appended);
    CHECK(groups == size_t(std::min(appended, 200)));
  }
  std::vector<fs::path> manifests() { return files_below(kept.path + "/fake/manifests"); }
  int64_t changelog_records() {
    int64_t records = 0;
    for (int32_t shard = 0; shard < 16; ++shard) {
      TopicPartition partition{changelog_topic("fake", "counts.window.0"), shard};
      records += int64_t(log.records(partition).size());
    }
    return records;
  }

  MemoryLog log;
  FakePipeline pipeline;
  ScratchDirectory state, kept;
  int appended = 0;
  std::string said;
};

}  // namespace

TEST_CASE("a lost disk comes back from the snapshot and the changelog behind it") {
  World world;
  world.append(500);
  FakeRun run = world.run();
  REQUIRE_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
  CHECK(run.summary.snapshots > 0);
  world.append(300);
  REQUIRE(world.run(Until::Now, false).status.ok());  // only in the changelog
  world.lose_disk();
  world.append(200);
  run = world.run();
  REQUIRE(run.status.ok());
  CHECK(run.summary.restored_snapshot_epoch > 0);
  world.check_all_counted();
}

TEST_CASE("changelogs are as long as the oldest kept snapshot wants them, and snapshots as many") {
  World world;
  for (int i = 0; i < 6; ++i) {
    world.append(500);
    REQUIRE(world.run().status.ok());
  }
  REQUIRE(world.manifests().size() == 2);
  int64_t with = world.changelog_records();
  World without;
  for (int i = 0; i < 6; ++i) {
    without.append(500);
    REQUIRE(without.run(Until::Now, false).status.ok());
  }
  CHECK(with * 2 < without.changelog_records());
  // What no manifest names is gone.
  std::string named;
  for (const fs::path& path : world.manifests()) named += bytes_of(path);
  for (const fs::path& path : files_below(world.kept.path + "/fake/files"))
    CHECK(named.find(path.lexically_relative(world.kept.path).string()) != std::string::npos);
  world.lose_disk();
  world.check_all_counted();
}

TEST_CASE("a table that the last snapshot has is not copied again") {
  World world;
  world.append(400);
  REQUIRE(world.run().status.ok());
  world.append(10);
  REQUIRE(world.run().status.ok());
  std::vector<fs::path> manifests = world.manifests();
  REQUIRE(manifests.size() == 2);
  Result<SnapshotManifest> older = read_manifest(bytes_of(manifests[0])),
                           newer = read_manifest(bytes_of(manifests[1]));
  REQUIRE(older.ok());
  REQUIRE(newer.ok());
  int shared = 0;
  for (const SnapshotFile& file : newer->files)
    shared += int(std::count(older->files.begin(), older->files.end(), file));
  CHECK(shared > 0);
  CHECK(size_t(shared) < newer->files.size());
}

TEST_CASE("a damaged snapshot is stepped over to the one before it, whatever is damaged") {
  World world;
  for (int i = 0; i < 3; ++i) {
    world.append(300);
    REQUIRE(world.run().status.ok());
  }
  std::vector<fs::path> manifests = world.manifests();
  REQUIRE(manifests.size() == 2);
  Result<SnapshotManifest> older = read_manifest(bytes_of(manifests[0])),
                           newest = read_manifest(bytes_of(manifests[1]));
  REQUIRE(older.ok());
  REQUIRE(newest.ok());
  std::vector<fs::path> damageable = {manifests[1]};
  for (const SnapshotFile& file : newest->files) {
    if (std::find(older->files.begin(), older->files.end(), file) == older->files.end())
      damageable.push_back(world.kept.path + "/" + file.object);
  }
  REQUIRE(damageable.size() > 3);
  world.append(100);
  for (const fs::path& path : damageable) {
    std::string good = bytes_of(path);
    for (const char* how : {"flipped", "cut", "gone"}) {
      CAPTURE(path.string());
      CAPTURE(how);
      std::string bad = good;
      if (how == std::string("flipped")) bad[bad.size() / 2] = char(bad[bad.size() / 2] ^ 4);
      if (how == std::string("cut")) bad.resize(bad.size() / 2);
      write_bytes(path, bad);
      if (how == std::string("gone")) fs::remove(path);
      world.lose_disk();
      world.said.clear();
      RunOptions options = fake_options();
      options.until = Until::Now;
      options.state_dir = world.state.path;
      options.snapshots = world.kept.path;  // and none is made: the next is an hour away
      options.snapshot_every_ms = 3'600'000;
      FakeRun run = run_fake(world.pipeline, world.log, options);
      REQUIRE_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
      CHECK(run.summary.restored_snapshot_epoch == older->record.epoch);
      write_bytes(path, good);
    }
  }
  world.lose_disk();
  world.check_all_counted();
}

TEST_CASE(
    "nothing intact, and a changelog that begins behind the state: refused, not restored in part") {
  World world;
  for (int i = 0; i < 3; ++i) {
    world.append(300);
    REQUIRE(world.run().status.ok());
  }
  world.lose_disk();
  FakeRun run = world.run(Until::Now, false);
  CHECK(run.status.exit() == Exit::Configuration);
  CHECK(run.status.message().find("--snapshots") != std::string::npos);
  for (const fs::path& path : world.manifests()) write_bytes(path, "weirsnap, they said");
  run = world.run();
  CHECK(run.status.exit() == Exit::Configuration);
  CHECK(run.status.message().find("no intact one") != std::string::npos);
  CHECK(world.said.find("stepped over damaged snapshots") != std::string::npos);
}

TEST_CASE("a disk that is older than the changelogs is replaced by the snapshot") {
  World world;
  world.append(300);
  REQUIRE(world.run().status.ok());
  ScratchDirectory old;
  fs::copy(world.state.path, old.path, fs::copy_options::recursive);
  for (int i = 0; i < 4; ++i) {
    world.append(300);
    REQUIRE(world.run().status.ok());
  }
  world.lose_disk();
  fs::copy(old.path, world.state.path, fs::copy_options::recursive);
  FakeRun run = world.run();
  REQUIRE_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
  CHECK(run.summary.restored_snapshot_epoch > 0);
  world.check_all_counted();
}

TEST_CASE(
    "a snapshot that fails at any step neither stops the pipeline nor the snapshots after it") {
  for (const char* point : {"S0:error:1", "S1:error:3", "S2:error:1", "S3:error:1", "S4:error:1",
                            "S5:error:1", "S1:error:1,S2:error:1"}) {
    CAPTURE(point);
    World world;
    {
      Failpoint failpoint(point);
      for (int i = 0; i < 4; ++i) {
        world.append(200);
        FakeRun run = world.run();
        REQUIRE_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
        CHECK(run.summary.aborts == 0);
      }
    }
    CHECK(world.said.find("snapshot") != std::string::npos);
    world.append(100);
    CHECK(world.run().summary.snapshots > 0);
    world.lose_disk();
    FakeRun run = world.run();
    REQUIRE(run.status.ok());
    CHECK(run.summary.restored_snapshot_epoch > 0);
    world.check_all_counted();
  }
}

TEST_CASE("restoring that fails at any step is done again") {
  for (const char* point : {"R0:error:1", "R0:error:3", "R1:error:1", "R2:error:1"}) {
    CAPTURE(point);
    World world;
    for (int i = 0; i < 3; ++i) {
      world.append(200);
      REQUIRE(world.run().status.ok());
    }
    world.lose_disk();
    {
      Failpoint failpoint(point);
      FakeRun run = world.run();
      REQUIRE_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
    }
    world.check_all_counted();
  }
}

TEST_CASE("any damaged file of the state is found, and the state comes back") {
  World world;
  for (int i = 0; i < 3; ++i) {
    world.append(300);
    REQUIRE(world.run().status.ok());
  }
  ScratchDirectory good;
  fs::copy(world.state.path, good.path, fs::copy_options::recursive);
  int damaged = 0;
  for (const fs::path& path : files_below(world.state.path)) {
    std::string name = path.filename();
    if (name.starts_with("LOG") || name == "LOCK" || name == "IDENTITY") continue;
    for (const char* how : {"flipped", "cut", "gone"}) {
      CAPTURE(name);
      CAPTURE(how);
      world.lose_disk();
      fs::copy(good.path, world.state.path, fs::copy_options::recursive);
      std::string bad = bytes_of(path);
      if (bad.empty()) continue;
      if (how == std::string("flipped")) bad[bad.size() / 3] = char(bad[bad.size() / 3] ^ 16);
      if (how == std::string("cut")) bad.resize(bad.size() / 3);
      write_bytes(path, bad);
      if (how == std::string("gone")) fs::remove(path);
      RunOptions options = fake_options();
      options.until = Until::Now;
      options.state_dir = world.state.path;
      options.snapshots = world.kept.path;
      options.snapshot_every_ms = 3'600'000;
      // The first start may be the one that finds the damage while reading.
      FakeRun run = run_fake(world.pipeline, world.log, options);
      if (!run.status.ok()) {
        CHECK(run.status.exit() == Exit::Disk);
        run = run_fake(world.pipeline, world.log, options);
      }
      REQUIRE_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
      ++damaged;
    }
  }
  CHECK(damaged > 10);
  world.check_all_counted();
}

TEST_CASE("an object is there with all its bytes or not at all") {
  ScratchDirectory directory;
  Result<std::unique_ptr<ObjectStore>> opened = open_object_directory(directory.path + "/deep/er/");
  REQUIRE(opened.ok());
  ObjectStore& objects = **opened;
  write_bytes(directory.path + "/source", std::string(3'000'000, 'x'));
  Result<ObjectStore::Copied> put = objects.put_file("p/files/1/a", directory.path + "/source");
  REQUIRE(put.ok());
  CHECK(put->bytes == 3'000'000);
  REQUIRE(objects.put("p/manifests/1", "content").ok());
  CHECK(*objects.get("p/manifests/1") == "content");
  CHECK(!objects.get("p/manifests/2").ok());
  CHECK(!objects.put_file("p/files/1/b", directory.path + "/nothing").ok());
  Result<std::vector<ObjectStore::Object>> listed = objects.list("p/files/");
  REQUIRE(listed.ok());
  REQUIRE(listed->size() == 1);
  CHECK(listed->front().name == "p/files/1/a");
  CHECK(listed->front().bytes == 3'000'000);
  Result<ObjectStore::Copied> got = objects.get_file("p/files/1/a", directory.path + "/target");
  REQUIRE(got.ok());
  CHECK(got->crc32c == put->crc32c);
  CHECK(bytes_of(directory.path + "/target") == bytes_of(directory.path + "/source"));
  REQUIRE(objects.remove("p/files/1/a").ok());
  REQUIRE(objects.remove("p/files/1/a").ok());
  CHECK(objects.list("p/files/")->empty());
  CHECK(objects.list("other/")->empty());
}
