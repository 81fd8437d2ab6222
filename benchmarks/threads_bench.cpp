// An operation's tiles on two threads, by oneTBB as the library does it and by OpenMP, on a quiet machine and
// beside programs that want the cores as well. What settled the choice: OpenMP's threads wait for each other
// by spinning, and two of them on a busy machine cost many times what one does.
//
//   threads_bench [programs beside it, default 2]
//
// OMP_WAIT_POLICY=passive shows the cure of OpenMP, and what that costs on a quiet machine.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <vector>

#include "xtgrad/autograd/kernels/parallel.h"

namespace {

using Clock = std::chrono::steady_clock;
constexpr int rounds = 400;

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
  std::vector<double> times = {};
};

std::vector<Way> ways() {
  std::vector<Way> all;
  all.push_back({"one thread", [](std::int64_t tiles, std::int64_t steps) {
                   for (std::int64_t i = 0; i < tiles; ++i) work(i, steps);
                 }});
  all.push_back({"oneTBB", [](std::int64_t tiles, std::int64_t steps) {
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

void measure(const char* where, std::int64_t steps_per_microsecond) {
  for (const auto& [tiles, length] : {std::pair<std::int64_t, std::int64_t>{2, 5}, {8, 20}, {8, 100}}) {
    std::vector<Way> all = ways();
    for (int round = 0; round < rounds; ++round) {
      for (Way& way : all) {
        const auto start = Clock::now();
        way.run(tiles, length * steps_per_microsecond);
        way.times.push_back(microseconds_since(start));
        work(0, 20 * steps_per_microsecond);  // what a program does between two operations
      }
    }
    for (Way& way : all) {
      std::sort(way.times.begin(), way.times.end());
      const double mean = std::accumulate(way.times.begin(), way.times.end(), 0.0) / rounds;
      fmt::print("{:<16} {} tiles of {:>3} us  {:<10}  median {:>8.1f} us   mean {:>8.1f} us\n", where, tiles,
                 length, way.name, way.times[rounds / 2], mean);
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
