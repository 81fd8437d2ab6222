#include "xtgrad/nn/rollback.h"

#include <string>
#include <utility>

namespace xtgrad::inline v1::nn::detail {

struct Rollback::Visitor : Members {
  explicit Visitor(Rollback& into) : rollback(into) {}

  void on_parameter(const std::string&, Parameter& parameter) override {
    rollback.leaves_.push_back({parameter.cell(), parameter.cell()->leaf()});
  }
  void on_buffer(const std::string&, Tensor& buffer) override {
    rollback.buffers_.push_back({&buffer, buffer});
  }
  void on_stream(const std::string&, Random& stream) override {
    rollback.streams_.push_back({&stream, stream});
  }
  void on_counter(const std::string&, xtgrad::Counter& counter) override {
    rollback.counters_.push_back({&counter, counter});
  }
  void on_integer(const std::string&, std::int64_t& counter) override {
    rollback.integers_.push_back({&counter, counter});
  }
  void on_setting(const std::string&, double&, std::shared_ptr<const void>& holder) override {
    rollback.holders_.push_back({&holder, holder});
  }

  Rollback& rollback;
};

Rollback::Rollback(Stateful& root) { Visitor(*this).visit(root); }

Rollback::~Rollback() {
  if (keeps_) return;
  for (Leaf& leaf : leaves_) leaf.parameter->set_leaf(leaf.leaf);
  for (auto& [place, value] : buffers_) *place = std::move(value);
  for (auto& [place, value] : streams_) *place = std::move(value);
  for (auto& [place, value] : counters_) *place = std::move(value);
  for (auto& [place, value] : integers_) *place = value;
  for (auto& [place, value] : holders_) *place = std::move(value);
}

}  // namespace xtgrad::v1::nn::detail
