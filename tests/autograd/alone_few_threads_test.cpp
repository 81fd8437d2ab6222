// Alone, because it replaces pthread_create for the whole program.
#include <doctest/doctest.h>

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/sanitizers.h"

using namespace xtgrad;

// The sanitizers replace it themselves.
#if defined(__GLIBC__) && !XTGRAD_ADDRESS_SANITIZER && !XTGRAD_THREAD_SANITIZER

namespace {

std::atomic<int> room = 1000;  // for so many more threads at a time

struct Start {
  void* (*function)(void*);
  void* argument;
};

void* run(void* start) {
  const std::unique_ptr<Start> own(static_cast<Start*>(start));
  void* const result = own->function(own->argument);
  ++room;
  return result;
}

}  // namespace

// Visible, for the standard library calls it from its own shared object.
extern "C" __attribute__((visibility("default"))) int pthread_create(pthread_t* thread,
                                                                     const pthread_attr_t* attributes,
                                                                     void* (*function)(void*),
                                                                     void* argument) noexcept {
  if (--room < 0) {
    ++room;
    return EAGAIN;
  }
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  return create(thread, attributes, run, new Start{function, argument});
}

TEST_CASE("an operation goes on with the threads that the system gives, to the same bits") {
  const std::vector<double> right = [] {
    const testing::ThreadCount one(1);
    return testing::values(exp(full({1024, 1024}, 0.25)));
  }();
  for (const int given : {0, 1, 2, 5}) {
    CAPTURE(given);
    room = given;
    // Another number than before, so that the threads are asked for anew.
    const testing::ThreadCount many(64 + given);
    for (int i = 0; i < 20; ++i) CHECK(testing::values(exp(full({1024, 1024}, 0.25))) == right);
    CHECK(num_threads() == 64 + given);
  }
}

#endif

TEST_CASE("set_num_threads refuses what cannot be") {
  const int before = num_threads();
  for (const int threads : {0, -1, 4097, 100'000, 2'147'483'647}) {
    const auto message = "set_num_threads: needs from 1 to 4096 threads, got " + std::to_string(threads);
    CHECK_THROWS_WITH_AS(set_num_threads(threads), message.c_str(), ValueError);
  }
  CHECK(num_threads() == before);
}
