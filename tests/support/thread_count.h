#pragma once

#include "xtgrad/autograd/threads.h"

namespace xtgrad::inline v1::testing {

/// Sets the number of threads, and restores it when a test is left, by a failure too.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : before_(num_threads()) { set_num_threads(threads); }
  ~ThreadCount() { set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

}  // namespace xtgrad::testing
