// An operation's tiles on two threads, by the library's own and by OpenMP's, on a quiet machine and
// beside programs that want the cores as well. What settled the choice: OpenMP's threads wait for each other
// by spinning, and two of them on a busy machine cost many times what one does.
//
//   threads_bench [programs beside it, default 2]
//
// OMP_WAIT_POLICY=passive shows the cure of OpenMP, and what that costs on a quiet machine.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <new>
#include <numeric>
#include <span>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/threads.h"

namespace {

using Clock = std::chrono::steady_clock;
constexpr int repetitions = 5;  // of a way, each in a process of its own
constexpr int rounds = 80;      // of a repetition
constexpr int warm_up = 5;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

volatile double sink[64 * 8];  // a cache line each

void work(std::int64_t tile, std::int64_t steps) {
  auto x = static_cast<double>(tile);
  for (std::int64_t i = 0; i < steps; ++i) x = x * 1.0000001 + 0.5;
  sink[tile % 64 * 8] = x;
}

std::int64_t steps_of_a_microsecond() {
  constexpr std::int64_t steps = 20'000'000;
  const auto start = Clock::now();
  work(0, steps);
  return static_cast<std::int64_t>(steps / microseconds_since(start));
}

struct Way {
  const char* name;
  std::function<void(std::int64_t tiles, std::int64_t steps)> run;
};

std::vector<Way> ways() {
  std::vector<Way> all;
  all.push_back({"one thread", [](std::int64_t tiles, std::int64_t steps) {
                   for (std::int64_t i = 0; i < tiles; ++i) work(i, steps);
                 }});
  all.push_back({"xtgrad", [](std::int64_t tiles, std::int64_t steps) {
                   xtgrad::detail::for_each_tile(tiles, [=](std::int64_t i) { work(i, steps); });
                 }});
#ifdef _OPENMP
  all.push_back({"OpenMP", [](std::int64_t tiles, std::int64_t steps) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(2)
                   for (std::int64_t i = 0; i < tiles; ++i) work(i, steps);
                 }});
#endif
  return all;
}

/// Programs that compute for as long as it lives.
class Neighbours {
 public:
  explicit Neighbours(int count) {
    for (int i = 0; i < count; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        for (;;) work(0, 1'000'000);
      }
      if (child > 0) children_.push_back(child);
    }
  }
  ~Neighbours() {
    for (const pid_t child : children_) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
  }
  Neighbours(const Neighbours&) = delete;
  Neighbours& operator=(const Neighbours&) = delete;

 private:
  std::vector<pid_t> children_;
};

/// What parent and children both see.
class SharedTimes {
 public:
  SharedTimes()
      : times_(static_cast<double*>(
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    if (times_ == MAP_FAILED) throw std::bad_alloc();
  }
  ~SharedTimes() { munmap(times_, size); }
  SharedTimes(const SharedTimes&) = delete;
  SharedTimes& operator=(const SharedTimes&) = delete;

  [[nodiscard]] std::span<double> all() const { return {times_, rounds}; }

 private:
  static constexpr std::size_t size = rounds * sizeof(double);
  double* times_;
};

/// Times of one way. In a child process, for OpenMP's threads would go on spinning into the others' rounds.
void append_times(const Way& way, std::int64_t tiles, std::int64_t length, std::int64_t steps_per_microsecond,
                  std::vector<double>& times) {
  const SharedTimes shared;
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    for (int round = -warm_up; round < rounds; ++round) {
      const auto start = Clock::now();
      way.run(tiles, length * steps_per_microsecond);
      const double took = microseconds_since(start);
      if (round >= 0) shared.all()[static_cast<std::size_t>(round)] = took;
      work(0, 20 * steps_per_microsecond);  // what a program does between two operations
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error(fmt::format("threads_bench: the child of {} failed", way.name));
  times.insert(times.end(), shared.all().begin(), shared.all().end());
}

void measure(const char* where, std::int64_t steps_per_microsecond) {
  const std::vector<Way> all = ways();
  for (const auto& [tiles, length] : {std::pair<std::int64_t, std::int64_t>{2, 5}, {8, 20}, {8, 100}}) {
    std::vector<std::vector<double>> times(all.size());
    for (int repetition = 0; repetition < repetitions; ++repetition) {
      for (std::size_t i = 0; i < all.size(); ++i)
        append_times(all[i], tiles, length, steps_per_microsecond, times[i]);
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::sort(times[i].begin(), times[i].end());
      const auto count = static_cast<double>(times[i].size());
      const double mean = std::accumulate(times[i].begin(), times[i].end(), 0.0) / count;
      fmt::print("{:<10} {} tiles of {:>3} us  {:<10}  median {:>8.1f} us   mean {:>8.1f} us\n", where, tiles,
                 length, all[i].name, times[i][times[i].size() / 2], mean);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int beside = argc > 1 ? std::atoi(argv[1]) : 2;
  xtgrad::set_num_threads(2);
  const std::int64_t steps = steps_of_a_microsecond();
  measure("alone", steps);
  const Neighbours neighbours(beside);
  measure(fmt::format("beside {}", beside).c_str(), steps);
}
