#include "tests/simulation/fiber.h"

#include <cxxabi.h>
#include <sys/mman.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "runtime/status.h"

// Saves the registers that a function has to keep, changes stacks, and restores the other's:
//
//     weir_switch_stack(void** from: where this stack's pointer goes, void* to: the other's)
//
// swapcontext would do the same with a system call for the signal mask each time: half of a
// schedule's time.
extern "C" void weir_switch_stack(void** from, void* to);
asm(R"(
.text
.globl weir_switch_stack
.type weir_switch_stack, @function
weir_switch_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size weir_switch_stack, .-weir_switch_stack
)");

namespace weir::simulation {

namespace {

constexpr size_t kStackBytes = 256 << 10;
constexpr size_t kGuardBytes = 4 << 10;

Fiber* running = nullptr;

// The C++ ABI keeps one of these for each thread; here each fiber needs its own.
ExceptionState& exception_state() {
  return *reinterpret_cast<ExceptionState*>(__cxxabiv1::__cxa_get_globals());
}

// Stacks are used again: a schedule makes dozens of fibers.
std::vector<char*>& free_stacks() {
  static std::vector<char*> stacks;
  return stacks;
}

char* take_stack() {
  if (!free_stacks().empty()) {
    char* stack = free_stacks().back();
    free_stacks().pop_back();
    return stack;
  }
  void* made =
      mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  WEIR_CHECK(made != MAP_FAILED, "a stack is small");
  WEIR_CHECK(mprotect(made, kGuardBytes, PROT_NONE) == 0, "its last page is a guard");
  return static_cast<char*>(made);
}

}  // namespace

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)), stack_(take_stack()) {
  // As if it had called weir_switch_stack from the first instruction of `enter`: six registers and
  // the address to return to, and the stack's end aligned as behind a call.
  auto* top = reinterpret_cast<uint64_t*>(stack_ + kStackBytes) - 1;
  *top = 0;
  *--top = reinterpret_cast<uint64_t>(&Fiber::enter);
  for (int i = 0; i < 6; ++i) *--top = 0;
  there_ = top;
}

Fiber::~Fiber() {
  WEIR_CHECK(done_, "a fiber is run to its end");
  free_stacks().push_back(stack_);
}

void Fiber::resume() {
  WEIR_CHECK(!done_, "it has something to do");
  outer_ = running;
  running = this;
  std::swap(exception_state(), exceptions_);
  weir_switch_stack(&here_, there_);
  std::swap(exception_state(), exceptions_);
  running = outer_;
}

void Fiber::yield() {
  Fiber* self = running;
  weir_switch_stack(&self->there_, self->here_);
}

void Fiber::enter() {
  Fiber* self = running;
  self->body_();
  self->done_ = true;
  yield();
}

}  // namespace weir::simulation
