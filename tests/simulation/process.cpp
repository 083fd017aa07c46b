#include "tests/simulation/process.h"

#include <algorithm>

#include "runtime/names.h"
#include "runtime/run.h"
#include "tests/simulation/log_client.h"

namespace weir::simulation {

using namespace weir::runtime;

namespace {

constexpr int64_t kCallUsMax = 400;  // what a call takes when nothing is wrong

}  // namespace

// The job's fiber, in place of a thread.
class Process::JobWorker final : public Worker {
 public:
  explicit JobWorker(Process& process) : process_(process) {}
  ~JobWorker() override {
    while (fiber_ && !fiber_->done()) {
      if (process_.dead_) {
        process_.running_ = 1;
        fiber_->resume();
        process_.running_ = 0;
      } else {
        process_.yield_quietly(kMillisecond);
      }
    }
    process_.turns_[1] = {};
  }
  void start(std::function<void()> job) override {
    fiber_ = std::make_unique<Fiber>([job = std::move(job)] {
      try {
        job();
      } catch (const Killed&) {
      }
    });
    process_.turns_[1] = {fiber_.get(), process_.world_.now_us};
  }
  bool wait(int timeout_ms) override {
    int64_t until = process_.world_.now_us + timeout_ms * kMillisecond;
    while (fiber_ && !fiber_->done()) {
      if (process_.world_.now_us >= until) return false;
      process_.pass(std::min(until - process_.world_.now_us, kMillisecond));
    }
    return true;
  }

 private:
  Process& process_;
  std::unique_ptr<Fiber> fiber_;
};

Process::Process(World& world, const Program& program, Disk& disk, const Start& start)
    : world_(world), program_(program), disk_(disk), start_(start), control_([this] { body(); }) {
  turns_[0] = {&control_, world.now_us};
}

Process::~Process() {
  dead_ = true;
  if (!control_.done()) run();
}

std::string Process::name() const {
  return start_.instance + "/" + std::to_string(start_.number) + (running_ == 1 ? " commit" : "");
}

std::unique_ptr<Worker> Process::worker() { return std::make_unique<JobWorker>(*this); }

// What run_pipeline does, in a world that is given.
void Process::body() {
  try {
    auto run = [&]() -> Status {
      Result<std::vector<StoreOperator>> operators = store_operators(program_);
      if (!operators.ok()) return operators.take_status();
      Result<std::unique_ptr<Store>> store = open_store(*this, disk_, std::move(*operators));
      if (!store.ok()) return store.take_status();
      RunOptions options;
      options.instance = start_.instance;
      options.until = start_.until;
      options.memory_bytes = 4 << 20;
      options.rows_per_batch = uint32_t(chance().between(3, 16));
      options.rows_per_epoch_max = start_.epoch_rows;
      options.shards = 2;
      options.restore_write_bytes = 200;
      options.threads = 1;
      options.stop = &stop_;
      options.machine = this;
      if (world_.tells)
        options.say = [this](const std::string& line, bool) { world_.tell(name() + " " + line); };
      options.progress_ms = 0;
      LogClient log(*this);
      options.log = &log;
      Result<std::unique_ptr<Inputs>> inputs = Inputs::open(program_, options, &log);
      if (!inputs.ok()) return inputs.take_status();
      Metrics metrics(program_.name);
      PipelineRun pipeline(program_, options, &log, **store,
                           std::vector<Sink*>(program_.sinks.size()), {}, metrics, now());
      RunSummary summary;
      Status status = pipeline.run(**inputs, &summary);
      (*inputs)->close();
      return status;
    };
    status_ = run();
  } catch (const Killed&) {
    dead_ = true;
  }
}

// ---------------------------------------------------------------- turns

int64_t Process::ready_us(const Turn& turn) const {
  if (!turn.fiber || turn.fiber->done()) return INT64_MAX;
  int64_t at = turn.input_seen != UINT64_MAX && turn.input_seen != world_.appended ? 0 : turn.at_us;
  return std::max(at, paused_until_us_);
}

int64_t Process::next_turn_us(bool others) const {
  int64_t first = INT64_MAX;
  for (int i = 0; i < 2; ++i) {
    if (!others || i != running_) first = std::min(first, ready_us(turns_[i]));
  }
  return first;
}

void Process::run() {
  int next = 0;
  if (!dead_) {
    bool ready[2] = {ready_us(turns_[0]) <= world_.now_us, ready_us(turns_[1]) <= world_.now_us};
    next = ready[0] && ready[1] ? int(chance().below(2)) : ready[1] ? 1 : 0;
  }
  running_ = next;
  turns_[next].fiber->resume();
  running_ = -1;
  // A dead one is unwound at once, the control fiber last: it waits for the other.
  if (dead_ && !control_.done()) {
    running_ = 0;
    control_.resume();
    running_ = -1;
  }
}

void Process::pass(int64_t us) {
  yield_quietly(us);
  if (dead_) throw Killed{};
}

void Process::yield_quietly(int64_t us) {
  Turn& turn = turns_[running_];
  turn.at_us = world_.now_us + us;
  Fiber::yield();
  turn.input_seen = UINT64_MAX;
}

void Process::wait(int64_t us) {
  if (dead_) throw Killed{};
  pass(us);
}

void Process::wait_for_input(uint64_t seen, int64_t us) {
  if (dead_) throw Killed{};
  turns_[running_].input_seen = seen;
  pass(us);
}

// ---------------------------------------------------------------- faults

FaultKind Process::at(Point point) {
  if (dead_) throw Killed{};
  FaultKind fault = world_.reach(point, *this);
  world_.now_us += int64_t(chance().below(kCallUsMax));
  if (fault != FaultKind::none) play(fault);
  if (world_.others_wait(*this)) pass(0);
  return fault;
}

// What can be done in front of the call.
void Process::play(FaultKind fault) {
  switch (fault) {
    case FaultKind::crash:
      die();
    case FaultKind::power: {
      size_t keep = disk_.synced + chance().below(disk_.bytes.size() - disk_.synced + 1);
      disk_.bytes.resize(keep);
      // A torn sector: what is there is not what was written.
      for (size_t i = keep - std::min(chance().below(16), keep - disk_.synced); i < keep; ++i)
        disk_.bytes[i] = char(chance().next());
      die();
    }
    case FaultKind::flip:
      if (!disk_.bytes.empty())
        disk_.bytes[chance().below(disk_.bytes.size())] ^= char(1 << chance().below(8));
      die();
    case FaultKind::wipe:
      disk_.bytes.clear();
      disk_.synced = 0;
      die();
    case FaultKind::move_offsets:
      wants_offsets_moved = true;
      die();
    case FaultKind::pause:
      paused_until_us_ = world_.now_us + chance().between(kMillisecond, 20 * kSecond);
      if (on_pause) on_pause(*this);
      pass(0);
      break;
    case FaultKind::delay:
      pass(chance().between(kMillisecond, 5 * kSecond));
      break;
    case FaultKind::full:
      disk_.full = true;
      break;
    case FaultKind::expire:
      world_.log.expire_member(group(), group_instance_id(program_.name, start_.instance));
      break;
    case FaultKind::time_out:
      fenced_by_fault = true;
      world_.log.time_out(transactional_id(program_.name, start_.instance));
      break;
    case FaultKind::stop:
      stop_ = true;
      break;
    default:  // the caller's
      break;
  }
}

void Process::after(FaultKind fault) {
  if (fault == FaultKind::crash_after) die();
  if (fault == FaultKind::pause_after) play(FaultKind::pause);
}

void Process::die() {
  dead_ = true;
  throw Killed{};
}

Status Process::reach(const char* step) {
  // The points of steps come first, in their order.
  FaultKind fault = at(Point(step[1] - '0'));
  after(fault);
  return fault == FaultKind::error ? Status::error(Exit::Unavailable, "an error at this step")
                                   : Status();
}

Status Process::run_deferred() {
  if (!deferred) return {};
  return std::exchange(deferred, nullptr)();
}

}  // namespace weir::simulation
