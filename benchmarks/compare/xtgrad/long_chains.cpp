// Graphs too large for any cache: what building one, sweeping and freeing it cost.

#include <fmt/format.h>

#include <stdexcept>

#include "benchmarks/compare/common/long_chain.h"
#include "benchmarks/compare/xtgrad/helpers.h"
#include "xtgrad/autograd/memory.h"

namespace bench {
namespace {

using xtgrad::Tensor;

/// So many millions of additions, one after the other.
class LongChain final : public Workload {
 public:
  LongChain(Part part, std::int64_t length) : part_(part), length_(length), start_(leaf(1, {}, 0.4, 0.6)) {
    const std::int64_t before = xtgrad::memory_in_use();
    end_ = sum_up(1000);
    const std::int64_t each = (xtgrad::memory_in_use() - before) / 1000;
    if (each != bytes_of_an_operation) {
      throw std::logic_error(
          fmt::format("an operation takes {} bytes, and by hand {}", each, bytes_of_an_operation));
    }
  }

  [[nodiscard]] bool needs_before_step() const override { return true; }

  void before_step() override {
    end_ = {};
    start_.clear_grad();
    if (part_ != Part::build) end_ = sum_up(length_);
    if (part_ == Part::free) end_.backward();
  }

  void step() override {
    switch (part_) {
      case Part::build:
        end_ = sum_up(length_);
        break;
      case Part::sweep:
        end_.backward();
        break;
      case Part::free:
        end_ = {};
        break;
    }
  }

  std::vector<Values> outputs() override { return {values_of(part_ == Part::build ? end_ : start_.grad())}; }

 private:
  [[nodiscard]] Tensor sum_up(std::int64_t length) const {
    Tensor y = start_;
    for (std::int64_t i = 0; i < length; ++i) y = y + 1e-7;
    return y;
  }

  Part part_;
  std::int64_t length_;
  Tensor start_, end_;
};

}  // namespace

void add_long_chains(Families& families) {
  families["graph_build"] = long_chain<LongChain, Part::build>;
  families["graph_build_sweep"] = long_chain<LongChain, Part::sweep>;
  families["graph_build_free"] = long_chain<LongChain, Part::free>;
}

}  // namespace bench
