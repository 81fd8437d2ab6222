// Alone, because it replaces pthread_create for the whole program.
#include <doctest/doctest.h>

#include <dlfcn.h>
#include <pthread.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/sanitizers.h"
#include "xtgrad/datasets/loader.h"

// The sanitizers replace it themselves.
#if defined(__GLIBC__) && !XTGRAD_ADDRESS_SANITIZER && !XTGRAD_THREAD_SANITIZER

namespace {
int threads_left = 1000;
}

// Visible, for the standard library calls it from its own shared object.
extern "C" __attribute__((visibility("default"))) int pthread_create(pthread_t* thread,
                                                                     const pthread_attr_t* attributes,
                                                                     void* (*function)(void*),
                                                                     void* argument) noexcept {
  if (threads_left == 0) return EAGAIN;
  --threads_left;
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  return create(thread, attributes, function, argument);
}

using namespace xtgrad;

TEST_CASE("loader workers: a thread that the system does not give is an error, and ends the others") {
  datasets::Loader loader(datasets::Dataset({.inputs = zeros({40, 3}), .labels = zeros({40})}),
                          {.batch_size = 4, .workers = 3});
  const auto batches = [&] {
    std::int64_t count = 0;
    for (auto& batch : loader) count += batch.labels.shape()[0] == 4 ? 1 : 0;
    return count;
  };
  for (int given = 0; given < 3; ++given) {
    threads_left = given;
    const auto message = "Loader: the system gives no thread for worker " + std::to_string(given + 1) +
                         " of 3: Resource temporarily unavailable; use fewer workers";
    CHECK_THROWS_WITH_AS(batches(), message.c_str(), Error);
  }
  threads_left = 3;
  CHECK(batches() == 10);
  CHECK(threads_left == 0);
}

#endif
