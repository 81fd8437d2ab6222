#pragma once

#include <cstdint>
#include <vector>

#include "xtgrad/nn/members.h"

namespace xtgrad::inline v1::nn::detail {

/// Buffers, random streams and counters of a model as they are now; puts them back at the end of its scope,
/// and when asked. The model must not gain or lose members meanwhile.
class StateSnapshot {
 public:
  explicit StateSnapshot(Stateful& root);
  ~StateSnapshot() { restore(); }
  StateSnapshot(const StateSnapshot&) = delete;
  StateSnapshot& operator=(const StateSnapshot&) = delete;
  void restore() const;

 private:
  struct Visitor;
  struct Buffer {
    Tensor* place;
    Tensor value;
  };
  struct Stream {
    Random* place;
    Random value;
  };
  struct Counter {
    xtgrad::Counter* place;
    xtgrad::Counter value;
  };
  struct Integer {
    std::int64_t* place;
    std::int64_t value;
  };
  std::vector<Buffer> buffers_;
  std::vector<Stream> streams_;
  std::vector<Counter> counters_;
  std::vector<Integer> integers_;
};

}  // namespace xtgrad::v1::nn::detail
