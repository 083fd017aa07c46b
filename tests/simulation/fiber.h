// Several flows of control on one thread, so that code written for threads runs in an order that a
// seed decides. A fiber runs until it yields; nothing else happens meanwhile.
// An exception may be thrown and caught inside of a fiber; none may leave it.
#pragma once

#include <functional>
#include <memory>

namespace weir::simulation {

// What the C++ ABI knows about exceptions that are on their way (Itanium C++ ABI, 2.2.2).
struct ExceptionState {
  void* caught = nullptr;
  unsigned uncaught = 0;
};

class Fiber {
 public:
  explicit Fiber(std::function<void()> body);
  // Requires: done. What is on its stack would never be destroyed.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Runs it until it yields or is done. May be called from another fiber.
  void resume();
  // Back to whoever resumed this one.
  static void yield();
  bool done() const { return done_; }

 private:
  static void enter();

  std::function<void()> body_;
  char* stack_;
  void* there_;           // its stack pointer while it does not run
  void* here_ = nullptr;  // the stack pointer of who resumed it
  Fiber* outer_ = nullptr;
  ExceptionState exceptions_;  // of whoever does not run
  bool done_ = false;
};

}  // namespace weir::simulation
