#include "tests/simulation/simulate.h"

#include <algorithm>
#include <deque>

#include "runtime/names.h"
#include "runtime/state/changelog.h"
#include "runtime/state/sentinel.h"
#include "tests/simulation/process.h"
#include "tests/simulation/workload.h"

namespace weir::simulation {

using namespace weir::runtime;

namespace {

constexpr uint64_t kCallsMax = 60'000;
constexpr int64_t kSession = 6 * kSecond;

// One after the other of these is a process of the same name and instance; for moments there are
// two, when the older one is not known to be alive.
struct Place {
  std::string instance;
  bool starting = false;  // a start is due
  bool finished = false;  // its last process has reached the end of the input
};

class Simulation {
 public:
  Simulation(const Schedule& schedule, Mutation mutation, Coverage* coverage, bool tells)
      : schedule_(schedule), workload_(schedule), world_(schedule, mutation, coverage) {
    world_.tells = tells;
    world_.set_processes(&processes_);
    places_.push_back({"00"});
    if (schedule.pipeline == PipelineKind::pass) places_.push_back({"01"});
    RunOptions options;
    Result<std::unique_ptr<Program>> program = read_program(*workload_.pipeline().image(), options);
    WEIR_CHECK(program.ok(), "the pipeline is right");
    program_ = std::move(*program);
    workload_.prepare(world_.log);
  }
  ~Simulation() {
    for (Process* process : processes_) delete process;
  }

  Outcome run() {
    feed(0, workload_.size() / 2);
    // The rest comes bit by bit.
    size_t chunks = 3;
    for (size_t i = 0, from = workload_.size() / 2; i < chunks; ++i) {
      size_t to = i + 1 == chunks ? workload_.size() : from + workload_.size() / 2 / chunks;
      world_.later(world_.chance.between(kMillisecond, 500 * kMillisecond),
                   [this, from, to] { pending_.push_back({from, to}); });
      from = to;
    }
    for (Place& place : places_) start(place);
    while (world_.violation().empty() && !finished()) {
      if (!world_.turn()) {
        world_.violate("nobody has anything to do, and the end is not reached");
        break;
      }
      feed_pending();
      look_after();
      if (world_.calls() > kCallsMax) world_.violate("no progress: " + where());
    }
    Outcome outcome;
    outcome.processes = started_;
    outcome.faults = schedule_.faults.size() - world_.faults_left();
    if (world_.violation().empty()) check();
    outcome.violation = world_.violation();
    outcome.calls = world_.calls();
    outcome.trace = world_.trace();
    outcome.epochs = epochs();
    return outcome;
  }

 private:
  // ---------------------------------------------------------------- input

  void feed(size_t from, size_t to) {
    workload_.append(world_.log, from, to, world_.chance);
    fed_ = to;
    ++world_.appended;
  }
  // Chunks may be due in any order; partitions have theirs.
  void feed_pending() {
    for (size_t i = 0; i < pending_.size();) {
      if (pending_[i].first != fed_) {
        ++i;
        continue;
      }
      feed(pending_[i].first, pending_[i].second);
      pending_.erase(pending_.begin() + ptrdiff_t(i));
      i = 0;
    }
  }
  bool all_committed() const {
    if (fed_ < workload_.size()) return false;
    Positions committed = world_.log.group_offsets(program_->name);
    for (int32_t p = 0; p < int32_t(schedule_.partitions); ++p) {
      if (input_ends_.size() <= size_t(p)) {
        std::vector<MemoryLog::Record> records = world_.log.records({"in", p});
        input_ends_.push_back(records.empty() ? 0 : records.back().offset + 1);
      }
      auto it = committed.find({"in", p});
      if (input_ends_[size_t(p)] > 0 &&
          (it == committed.end() || it->second.offset < input_ends_[size_t(p)]))
        return false;
    }
    return true;
  }

  // ---------------------------------------------------------------- processes

  Disk& free_disk() {
    std::vector<Disk*> free;
    for (Disk& disk : disks_) {
      if (!disk.locked) free.push_back(&disk);
    }
    // Mostly the newest one that is free; now and then another, which is behind.
    if (free.empty()) return disks_.emplace_back();
    return *free[world_.chance.one_in(4) ? world_.chance.below(free.size()) : free.size() - 1];
  }

  void start(Place& place) {
    place.starting = false;
    Process::Start start;
    start.number = started_++;
    start.instance = place.instance;
    start.until = last_phase_ ? Until::End : Until::Forever;
    start.epoch_rows = schedule_.epoch_rows;
    Disk& disk = free_disk();
    disk.locked = true;
    auto* process = new Process(world_, *program_, disk, start);
    process->on_pause = [this](Process& paused) { notice_pause(paused); };
    processes_.push_back(process);
    if (world_.tells) world_.tell("start " + process->name());
  }
  void start_later(Place& place) {
    if (place.starting) return;
    place.starting = true;
    int64_t delay = world_.chance.one_in(8) ? world_.chance.between(kSecond, 10 * kSecond)
                                            : world_.chance.between(kMillisecond, kSecond);
    world_.later(delay, [this, &place] { start(place); });
  }
  Place& place_of(const Process& process) {
    return *std::find_if(places_.begin(), places_.end(), [&](const Place& place) {
      return place.instance == process.start().instance;
    });
  }
  bool has_other(const Process& process) const {
    return std::any_of(processes_.begin(), processes_.end(), [&](const Process* other) {
      return other != &process && other->start().instance == process.start().instance;
    });
  }

  void notice_pause(Process& process) {
    // It looks dead: another one takes its place, elsewhere.
    if (!world_.chance.one_in(4)) start_later(place_of(process));
    end_session(process.start().instance);
  }
  // The group waits for a member that says nothing for as long as its session.
  void end_session(const std::string& instance) {
    world_.later(kSession, [this, instance] {
      bool silent = std::none_of(processes_.begin(), processes_.end(), [&](const Process* process) {
        return process->start().instance == instance && !process->is_paused();
      });
      if (silent)
        world_.log.expire_member(program_->name, group_instance_id(program_->name, instance));
    });
  }

  void look_after() {
    for (size_t i = 0; i < processes_.size();) {
      Process* process = processes_[i];
      if (!process->ended()) {
        ++i;
        continue;
      }
      processes_.erase(processes_.begin() + ptrdiff_t(i));
      std::unique_ptr<Process> ended(process);
      judge(*process);
    }
    if (!last_phase_ && ++turns_ % 64 == 0 && all_committed()) {
      last_phase_ = true;
      if (world_.tells) world_.tell("all input is committed");
      for (Process* process : processes_) process->ask_to_stop();
    }
  }

  // A process is gone: was it right to go, and what next?
  void judge(Process& process) {
    Place& place = place_of(process);
    process.disk().locked = false;
    if (process.killed()) {
      if (world_.tells) world_.tell("killed " + process.name());
      // Nobody may be left to notice what became of the disk.
      if (last_disk_ == &process.disk()) last_disk_ = nullptr;
      if (process.wants_offsets_moved) move_offsets();
    } else if (const Status& status = process.status(); !status.ok()) {
      if (world_.tells) {
        world_.tell("exit " + std::to_string(int(status.exit())) + " " + process.name() + " " +
                    status.message());
      }
      if (!is_allowed(process, status))
        world_.violate("exit " + std::to_string(int(status.exit())) + ": " + status.message());
    } else {
      if (world_.tells) world_.tell("end " + process.name());
      if (process.start().until == Until::End && !process.is_asked_to_stop()) {
        place.finished = true;
        last_disk_ = &process.disk();
      }
    }
    if (!has_other(process)) {
      end_session(place.instance);
      if (!place.finished) start_later(place);
    }
  }

  bool is_allowed(Process& process, const Status& status) {
    switch (status.exit()) {
      case Exit::Restart:
        // Only another process, or a coordinator that has lost patience, can take its place.
        return started_ > places_.size() || process.fenced_by_fault || world_.had_late_init;
      case Exit::Disk:
        if (process.disk().full) {
          process.disk().full = false;
          return true;
        }
        if (!process.disk().damaged) return false;
        // What the message says: remove the directory.
        process.disk() = {};
        return true;
      case Exit::Unavailable:
        return world_.faults_left() < schedule_.faults.size();
      case Exit::Configuration:
        if (world_.offsets_moved.empty()) return false;
        put_offsets_back();
        return true;
      default:
        return false;
    }
  }

  // Only when nobody else could write them meanwhile, and somebody will be started who has to
  // notice.
  void move_offsets() {
    if (!processes_.empty() || !world_.offsets_moved.empty() || places_.size() > 1 ||
        places_[0].finished)
      return;
    offsets_before_ = world_.log.group_offsets(program_->name);
    Positions moved = offsets_before_;
    if (moved.empty()) return;
    for (auto& [partition, position] : moved)
      position.offset += position.offset > 2 && world_.chance.one_in(2) ? -2 : 3;
    world_.log.set_group_offsets(program_->name, moved);
    world_.offsets_moved = moved;
  }

  void put_offsets_back() {
    Positions back = world_.log.group_offsets(program_->name);
    for (const auto& [partition, moved] : world_.offsets_moved)
      back[partition] = offsets_before_[partition];
    world_.log.set_group_offsets(program_->name, back);
    world_.offsets_moved.clear();
  }

  bool finished() const {
    return processes_.empty() &&
           std::all_of(places_.begin(), places_.end(),
                       [](const Place& place) { return place.finished && !place.starting; });
  }
  std::string where() const {
    std::string text = last_phase_ ? "at the end" : "in the middle";
    for (const auto& [partition, position] : world_.log.group_offsets(program_->name))
      text += ", " + std::to_string(partition.partition) + " at " + std::to_string(position.offset);
    return text + ", " + std::to_string(processes_.size()) + " processes";
  }

  // ---------------------------------------------------------------- what has to hold

  uint64_t epochs() const {
    uint64_t last = 0;
    for (const MemoryLog::Record& record : world_.log.records({commits_topic(program_->name), 0})) {
      Result<Sentinel> sentinel = read_sentinel(record.value);
      if (sentinel.ok()) last = std::max(last, sentinel->epoch);
    }
    return last;
  }

  void check() {
    if (!world_.offsets_moved.empty()) return world_.violate("moved offsets were not noticed");
    if (std::string problem = workload_.check(world_.log); !problem.empty())
      return world_.violate(problem);
    check_offsets();
    // A rival may have been killed on it after the last one was done: nobody is left to notice
    // damage.
    if (last_disk_ && !last_disk_->damaged && !program_->keyed.empty()) check_state();
  }

  // The sentinels name the group's offsets, and both the input's end.
  void check_offsets() {
    std::map<TopicPartition, Sentinel> sentinels;
    for (const MemoryLog::Record& record : world_.log.records({commits_topic(program_->name), 0})) {
      Result<Sentinel> sentinel = read_sentinel(record.value);
      if (!sentinel.ok()) return world_.violate("a sentinel can't be read");
      Sentinel& known = sentinels[sentinel->partition];
      if (sentinel->position.offset < known.position.offset)
        return world_.violate("a sentinel goes back to offset " +
                              std::to_string(sentinel->position.offset));
      known = *sentinel;
    }
    Positions committed = world_.log.group_offsets(program_->name);
    for (const auto& [partition, sentinel] : sentinels) {
      if (committed[partition].offset != sentinel.position.offset)
        return world_.violate("the sentinel of partition " + std::to_string(partition.partition) +
                              " says " + std::to_string(sentinel.position.offset) + ", the group " +
                              std::to_string(committed[partition].offset));
    }
    if (!all_committed()) world_.violate("the end of the input is not committed");
  }

  // What lies on the disk is what the changelogs say; running groups are all there.
  void check_state() {
    Result<std::vector<StoreOperator>> operators = store_operators(*program_);
    if (!operators.ok()) return world_.violate("a program whose state can't be kept");
    std::vector<std::map<std::string, std::string>> stored = contents(*last_disk_, *operators);
    for (size_t i = 0; i < program_->keyed.size(); ++i) {
      std::map<std::string, std::string> written;
      std::string topic = changelog_topic(program_->name, program_->keyed[i].keyed->identity());
      for (int32_t p = 0; p < 2; ++p) {
        for (const MemoryLog::Record& record : world_.log.records({topic, p})) {
          ChangelogHeader header;
          std::vector<ChangelogEntry> entries;
          if (!read_changelog(record.value, &header, &entries).ok())
            return world_.violate("a changelog record can't be read");
          for (const ChangelogEntry& entry : entries) {
            if (entry.removed) {
              written.erase(std::string(entry.key));
            } else {
              std::string& value = written[std::string(entry.key)];
              ValueMerger merger((*operators)[i].merge);
              bool added = value.empty() || !is_part(entry.value) || merger.add(value);
              if (!added || !merger.add(entry.value))
                return world_.violate("a changelog entry is not a value");
              merger.finish(false, &value);
            }
          }
        }
      }
      for (const auto& [key, value] : stored[i]) {
        auto it = written.find(key);
        if (it == written.end() || it->second != value)
          return world_.violate("the store has a group that the changelog does not have like this");
      }
      if (schedule_.pipeline == PipelineKind::running && stored[i].size() != written.size())
        return world_.violate("the store has not all groups of the changelog");
    }
  }

  const Schedule& schedule_;
  Workload workload_;
  World world_;
  std::unique_ptr<Program> program_;
  std::deque<Place> places_;
  std::deque<Disk> disks_;
  Disk* last_disk_ = nullptr;
  std::vector<Process*> processes_;
  uint32_t started_ = 0;
  uint64_t turns_ = 0;
  bool last_phase_ = false;  // everything is committed once; now windows fire
  size_t fed_ = 0;
  std::vector<std::pair<size_t, size_t>> pending_;
  mutable std::vector<int64_t> input_ends_;
  Positions offsets_before_;
};

}  // namespace

Outcome simulate(const Schedule& schedule, Mutation mutation, Coverage* coverage, bool tells) {
  return Simulation(schedule, mutation, coverage, tells).run();
}

}  // namespace weir::simulation
