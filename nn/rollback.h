#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "xtgrad/nn/members.h"

namespace xtgrad::inline v1::nn::detail {

/// All that an object lists, as it is now; puts it back at the end of its scope, which needs no memory,
/// unless it is told to keep what has come since. The object must not gain or lose members meanwhile.
class Rollback {
 public:
  explicit Rollback(Stateful& root);
  ~Rollback();
  Rollback(const Rollback&) = delete;
  Rollback& operator=(const Rollback&) = delete;

  void keep() { keeps_ = true; }

 private:
  struct Visitor;
  struct Leaf {
    ParameterRef parameter;
    Tensor leaf;
  };
  template <class T>
  struct Kept {
    T* place;
    T value;
  };

  std::vector<Leaf> leaves_;
  std::vector<Kept<Tensor>> buffers_;
  std::vector<Kept<Random>> streams_;
  std::vector<Kept<Counter>> counters_;
  std::vector<Kept<std::int64_t>> integers_;
  std::vector<Kept<std::shared_ptr<const void>>> holders_;
  bool keeps_ = false;
};

}  // namespace xtgrad::v1::nn::detail
