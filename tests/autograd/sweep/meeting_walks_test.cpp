// A walk for a plan, and a sweep that frees, which come to the nodes of one chain at the same moment:
// hundreds of meetings a millisecond, as what can go wrong takes a few nanoseconds. Run under the thread
// sanitizer too.
#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <string>
#include <thread>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/sanitizers.h"

using namespace xtgrad;

namespace {

#if XTGRAD_THREAD_SANITIZER || XTGRAD_ADDRESS_SANITIZER
constexpr int rounds = 5000;
#else
constexpr int rounds = 40000;
#endif

/// Waits for a counter, which another thread raises, without a call to the system while that one is running.
void wait_for(const std::atomic<int>& counter, int value) {
  for (int tries = 0; counter.load(std::memory_order_acquire) < value; ++tries) {
    if (tries > 1000) std::this_thread::yield();
  }
}

/// Lets a few nanoseconds pass, another number of them each round.
void linger(int round, int most) {
  const int turns = static_cast<int>(static_cast<std::uint32_t>(round) * 2654435761U >> 16) % most;
  for (int k = 0; k < turns; ++k) std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// Four tanh on an inner tensor, which makes a sweep to it go by a plan, and two losses on top.
struct Chain {
  Tensor x;
  Tensor inner;
  Tensor doubled;
  Tensor tripled;

  Chain() : x(full({}, 0.5, {.dtype = float64, .requires_grad = true})), inner(tanh(x)) {
    Tensor trunk = inner;
    for (int i = 0; i < 4; ++i) trunk = tanh(trunk);
    doubled = trunk * 2.0;
    tripled = trunk * 3.0;
  }
};

double slope_of_chain() {
  double value = 0.5;
  double slope = 1;
  for (int i = 0; i < 5; ++i) {
    value = std::tanh(value);
    slope *= 1 - value * value;
  }
  return slope;
}

/// The sweep that keeps, as a thread that is there already: to begin one takes longer than a sweep.
class Keeper {
 public:
  explicit Keeper(bool keeps) : keeps_(keeps), thread_([this] { run(); }) {}
  ~Keeper() { thread_.join(); }

  void begin(const Chain& chain, int round) {
    chain_ = &chain;
    begun_.store(round + 1, std::memory_order_release);
  }
  void wait(int round) const { wait_for(done_, round + 1); }

  std::string error;
  Tensor gradient;

 private:
  void run() {
    for (int round = 0; round < rounds; ++round) {
      wait_for(begun_, round + 1);
      error.clear();
      gradient = Tensor();
      linger(round, 256);
      try {
        gradient = grad({chain_->doubled}, {chain_->inner, chain_->x}, {.keep_graph = keeps_})[1];
      } catch (const GraphError& refused) {
        error = refused.what();
      }
      done_.store(round + 1, std::memory_order_release);
    }
  }

  bool keeps_;
  const Chain* chain_ = nullptr;
  std::atomic<int> begun_{0};
  std::atomic<int> done_{0};
  std::thread thread_;
};

}  // namespace

TEST_CASE("a walk and a sweep that frees, at the nodes of a chain at the same moment") {
  const std::int64_t at_start = detail::pool_stats().live_blocks;
  const double slope = slope_of_chain();
  for (const bool keeps : {true, false}) {
    CAPTURE(keeps);
    Keeper keeper(keeps);
    int wrong = 0;
    for (int round = 0; round < rounds; ++round) {
      const Chain chain;
      std::string error;
      keeper.begin(chain, round);
      linger(round * 7 + 1, 2048);
      try {
        chain.tripled.backward();
      } catch (const GraphError& refused) {
        error = refused.what();
      }
      keeper.wait(round);
      // One that only reads is in nobody's way; of two that free, one at least comes through.
      const bool stored = error.empty() && std::abs(chain.x.grad().item() - 3 * slope) < 1e-12;
      const bool found = keeper.error.empty() && std::abs(keeper.gradient.item() - 2 * slope) < 1e-12;
      const bool refused =
          keeper.error.find("pass {.keep_graph = true} to the first one") != std::string::npos;
      if (!(found || refused) || !(stored || (!keeps && found && !error.empty()))) ++wrong;
      keeper.gradient = Tensor();
    }
    CHECK(wrong == 0);
  }
  CHECK(detail::pool_stats().live_blocks == at_start);
}
