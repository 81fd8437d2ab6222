// The memory of a large graph without the graph: as many bytes as xtgrad's, allocated and written, read in
// reverse and freed.

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/common/inputs.h"
#include "benchmarks/compare/common/long_chain.h"

namespace bench {
namespace {

class LongChain final : public Workload {
 public:
  LongChain(Part part, std::int64_t length) : part_(part), length_(length) {}
  LongChain(const LongChain&) = delete;
  LongChain& operator=(const LongChain&) = delete;
  ~LongChain() override { free(); }

  [[nodiscard]] bool needs_before_step() const override { return true; }

  void before_step() override {
    free();
    if (part_ != Part::build) build();
    if (part_ == Part::free) sweep();
  }

  void step() override {
    switch (part_) {
      case Part::build:
        build();
        break;
      case Part::sweep:
        sweep();
        break;
      case Part::free:
        free();
        break;
    }
  }

  std::vector<Values> outputs() override { return {{part_ == Part::build ? last_->value : gradient_}}; }

 private:
  struct Block {
    Block* before;
    float value;
    float slope;
  };

  void build() {
    float y = start_;
    for (std::int64_t i = 0; i < length_; ++i) {
      void* memory = std::malloc(bytes_of_an_operation);
      if (memory == nullptr) throw std::bad_alloc();
      std::memset(memory, 0, bytes_of_an_operation);
      y += 1e-7F;
      last_ = new (memory) Block{.before = last_, .value = y, .slope = 1};
    }
  }

  void sweep() {
    float gradient = 1;
    for (const Block* block = last_; block != nullptr; block = block->before) gradient *= block->slope;
    gradient_ = gradient;
  }

  void free() {
    while (last_ != nullptr) std::free(std::exchange(last_, last_->before));
  }

  Part part_;
  std::int64_t length_;
  Block* last_ = nullptr;
  float start_ = numbers(1, 1, 0.4, 0.6)[0];
  float gradient_ = 0;
};

}  // namespace

void add_long_chains(Families& families) {
  families["graph_build"] = long_chain<LongChain, Part::build>;
  families["graph_build_sweep"] = long_chain<LongChain, Part::sweep>;
  families["graph_build_free"] = long_chain<LongChain, Part::free>;
}

}  // namespace bench
