// What a block of memory costs: the C library's malloc, mimalloc and the pool, in the patterns of a training
// step. The pool is kept as long as it wins here; otherwise mimalloc would do.
//
// items_per_second counts pairs of an allocation and its release. The second thread does nothing, but its
// existence alone switches malloc to its locked paths.

#include "xtgrad/autograd/memory/pool.h"

#include <benchmark/benchmark.h>

#include <dlfcn.h>
#include <sys/mman.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <latch>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#ifdef XTGRAD_HAVE_MIMALLOC
#include <mimalloc.h>
#endif

namespace {

// Linking mimalloc replaces malloc in the whole program, so the C library's own is asked for by name.
void* symbol_of_libc(const char* name, void* otherwise) {
  void* library = dlopen("libc.so.6", RTLD_NOW);
  void* symbol = library != nullptr ? dlsym(library, name) : nullptr;
  return symbol != nullptr ? symbol : otherwise;
}

struct Malloc {
  static constexpr const char* name = "malloc";
  using Allocate = void* (*)(std::size_t);
  using Release = void (*)(void*);
  static inline const auto allocate_of_libc =
      reinterpret_cast<Allocate>(symbol_of_libc("malloc", reinterpret_cast<void*>(&std::malloc)));
  static inline const auto release_of_libc =
      reinterpret_cast<Release>(symbol_of_libc("free", reinterpret_cast<void*>(&std::free)));
  static void* allocate(std::size_t bytes) { return allocate_of_libc(bytes); }
  static void release(void* block) { release_of_libc(block); }
};

#ifdef XTGRAD_HAVE_MIMALLOC
struct Mimalloc {
  static constexpr const char* name = "mimalloc";
  static void* allocate(std::size_t bytes) { return mi_malloc(bytes); }
  static void release(void* block) { mi_free(block); }
};
#endif

struct OurPool {
  static constexpr const char* name = "pool";
  static void* allocate(std::size_t bytes) { return xtgrad::detail::pool_allocate(bytes); }
  static void release(void* block) { xtgrad::detail::pool_free(block); }
};

constexpr std::size_t node_bytes = 128;
constexpr std::size_t batch_size = 10000;
constexpr std::size_t buffer_bytes = std::size_t{4} << 20;

// A temporary: released as soon as it is made.
template <class Allocator>
void at_once(benchmark::State& state) {
  for (auto _ : state) {
    void* block = Allocator::allocate(node_bytes);
    benchmark::DoNotOptimize(block);
    Allocator::release(block);
  }
  state.SetItemsProcessed(state.iterations());
}

// A graph of batch_size nodes, built and released. `newest_first` is the order of a backward sweep. Each node
// is written, or the allocator that touches blocks itself would seem the slower one.
template <class Allocator>
void batch(benchmark::State& state, bool newest_first) {
  std::vector<void*> blocks(batch_size);
  for (auto _ : state) {
    for (void*& block : blocks) {
      block = Allocator::allocate(node_bytes);
      *static_cast<std::size_t*>(block) = 1;
    }
    if (newest_first) {
      for (std::size_t i = batch_size; i-- > 0;) Allocator::release(blocks[i]);
    } else {
      for (void* block : blocks) Allocator::release(block);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch_size));
}

// `count` tensor buffers of a million floats alive at once, nearly each page written: shows whether they are
// recycled or mapped anew, which costs a thousand page faults each. The step is not a whole page, or all
// writes would fall into one set of the cache and huge pages would look slow.
template <class Allocator>
void buffers(benchmark::State& state, std::size_t count) {
  std::vector<char*> blocks(count);
  for (auto _ : state) {
    for (char*& block : blocks) {
      block = static_cast<char*>(Allocator::allocate(buffer_bytes));
      for (std::size_t i = 0; i < buffer_bytes; i += 4096 + 64) block[i] = 1;
      benchmark::ClobberMemory();
    }
    for (char* block : blocks) Allocator::release(block);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

// A step of 24 buffers alive at once whose sizes, 1 KiB to 4 MiB, are others in every step, as with batches
// and sequences of random lengths. Each page is written.
template <class Allocator>
void varying(benchmark::State& state) {
  constexpr std::size_t count = 24;
  constexpr unsigned steps = 64;  // after which the sizes come again
  std::vector<char*> blocks(count);
  unsigned step = 0;
  for (auto _ : state) {
    std::minstd_rand random(1 + step++ % steps);
    for (char*& block : blocks) {
      const std::size_t bytes = std::size_t{1024} << (random() % 12);
      const std::size_t size = bytes + random() % bytes;
      block = static_cast<char*>(Allocator::allocate(size));
      for (std::size_t i = 0; i < size; i += 4096 + 64) block[i] = 1;
      benchmark::ClobberMemory();
    }
    for (char* block : blocks) Allocator::release(block);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

struct Node {
  Node* previous;
  char payload[136];
};
static_assert(sizeof(Node) == 144);

// A virtual machine gets its memory from the host on first touch, which costs several times what is measured
// here and hits whoever runs first. So the system is made to own enough memory before.
void touch_system_memory() {
  constexpr std::size_t bytes = std::size_t{1} << 30;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
#ifdef MADV_HUGEPAGE
  madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  for (std::size_t i = 0; i < bytes; i += 4096) static_cast<volatile char*>(memory)[i] = 1;
  munmap(memory, bytes);
}

// Two million chained nodes, built and then released from the newest on. The first iteration takes its memory
// from the system, where huge pages count.
template <class Allocator>
void large_graph(benchmark::State& state) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t node_count = 2000000;
  touch_system_memory();
  std::chrono::duration<double> building{0};
  std::chrono::duration<double> releasing{0};
  for (auto _ : state) {
    const auto start = Clock::now();
    Node* newest = nullptr;
    for (std::size_t i = 0; i < node_count; ++i) {
      auto* node = static_cast<Node*>(Allocator::allocate(sizeof(Node)));
      node->previous = newest;
      std::memset(node->payload, 1, sizeof node->payload);
      newest = node;
    }
    benchmark::DoNotOptimize(newest);
    const auto built = Clock::now();
    while (newest != nullptr) {
      Node* previous = newest->previous;
      Allocator::release(newest);
      newest = previous;
    }
    releasing += Clock::now() - built;
    building += built - start;
  }
  const double nodes = static_cast<double>(state.iterations()) * static_cast<double>(node_count);
  state.counters["build_ns"] = building.count() * 1e9 / nodes;
  state.counters["free_ns"] = releasing.count() * 1e9 / nodes;
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(node_count));
}

// Alive from the first benchmark with a second thread until the end of the program.
class IdleThread {
 public:
  ~IdleThread() {
    if (!thread_) return;
    end_.count_down();
    thread_->join();
  }
  void start() {
    if (!thread_) thread_ = std::make_unique<std::thread>([this] { end_.wait(); });
  }

 private:
  std::latch end_{1};
  std::unique_ptr<std::thread> thread_;
};

IdleThread idle_thread;

template <class Allocator>
void add_large_graph() {
  const std::string name = Allocator::name;
  benchmark::RegisterBenchmark(("large_graph/first/" + name).c_str(), large_graph<Allocator>)->Iterations(1);
  benchmark::RegisterBenchmark(("large_graph/again/" + name).c_str(), large_graph<Allocator>)->Iterations(3);
}

template <class Allocator>
void add_patterns(bool second_thread) {
  const auto add = [&](const std::string& pattern, auto run) {
    const std::string name = pattern + (second_thread ? "/two_threads/" : "/one_thread/") + Allocator::name;
    benchmark::RegisterBenchmark(name.c_str(), [run, second_thread](benchmark::State& state) {
      if (second_thread) idle_thread.start();
      run(state);
    });
  };
  add("at_once", [](benchmark::State& state) { at_once<Allocator>(state); });
  add("batch_lifo", [](benchmark::State& state) { batch<Allocator>(state, true); });
  add("batch_fifo", [](benchmark::State& state) { batch<Allocator>(state, false); });
  add("buffer_4mb", [](benchmark::State& state) { buffers<Allocator>(state, 1); });
  add("varying", [](benchmark::State& state) { varying<Allocator>(state); });
  add("buffers_8x4mb", [](benchmark::State& state) { buffers<Allocator>(state, 8); });
}

template <class... Allocators>
void add_all() {
  // The large graph first, while no allocator holds memory; all with one thread before the second one starts.
  (add_large_graph<Allocators>(), ...);
  (add_patterns<Allocators>(false), ...);
  (add_patterns<Allocators>(true), ...);
}

}  // namespace

int main(int argc, char** argv) {
#ifdef XTGRAD_HAVE_MIMALLOC
  add_all<Malloc, Mimalloc, OurPool>();
#else
  add_all<Malloc, OurPool>();
#endif
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
