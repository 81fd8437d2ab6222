#include "xtgrad/nn/state_snapshot.h"

#include <string>

namespace xtgrad::inline v1::nn::detail {

struct StateSnapshot::Visitor : Members {
  explicit Visitor(StateSnapshot& into) : snapshot(into) {}

  void on_buffer(const std::string&, Tensor& buffer) override {
    snapshot.buffers_.push_back({&buffer, buffer});
  }
  void on_stream(const std::string&, Random& stream) override {
    snapshot.streams_.push_back({&stream, stream});
  }
  void on_counter(const std::string&, xtgrad::Counter& counter) override {
    snapshot.counters_.push_back({&counter, counter});
  }
  void on_integer(const std::string&, std::int64_t& counter) override {
    snapshot.integers_.push_back({&counter, counter});
  }

  StateSnapshot& snapshot;
};

StateSnapshot::StateSnapshot(Stateful& root) { Visitor(*this).visit(root); }

void StateSnapshot::restore() const {
  for (const Buffer& buffer : buffers_) *buffer.place = buffer.value;
  for (const Stream& stream : streams_) *stream.place = stream.value;
  for (const Counter& counter : counters_) *counter.place = counter.value;
  for (const Integer& integer : integers_) *integer.place = integer.value;
}

}  // namespace xtgrad::v1::nn::detail
