#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

class Tensor;
namespace detail {
class GradientStore;
}

namespace nn {

class ParameterCell;

namespace detail {

/// A model's identity, which outlives its address: a copy is another model, and a moved model takes it along.
class ModelId {
 public:
  ModelId() = default;
  ModelId(const ModelId&) {}
  ModelId(ModelId&& other) noexcept : value_(other.value_.exchange(0, std::memory_order_relaxed)) {}
  ModelId& operator=(const ModelId&) { return *this; }
  ModelId& operator=(ModelId&& other) noexcept {
    if (this != &other)
      value_.store(other.value_.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
    return *this;
  }
  ~ModelId() = default;

  /// Never 0, and never that of another model, alive or not. Given on first use.
  [[nodiscard]] std::uint64_t get() const {
    const std::uint64_t id = value_.load(std::memory_order_relaxed);
    return id != 0 ? id : assign();
  }

 private:
  XTGRAD_LOCAL std::uint64_t assign() const;

  mutable std::atomic<std::uint64_t> value_{0};
};

/// The models that have listed a parameter: the last few, so that a model and its parts may take turns. Read
/// without a lock; `insert` has one caller at a time.
class ListedBy {
 public:
  [[nodiscard]] bool contains(std::uint64_t model) const {
    for (const std::atomic<std::uint64_t>& id : ids_) {
      if (id.load(std::memory_order_relaxed) == model) return true;
    }
    return false;
  }
  XTGRAD_LOCAL void insert(std::uint64_t model);
  /// True if one model has listed both parameters; also if there were so many that some are forgotten.
  [[nodiscard]] XTGRAD_LOCAL bool may_share_model_with(const ListedBy& other) const;

 private:
  static constexpr std::size_t capacity = 4;

  std::array<std::atomic<std::uint64_t>, capacity> ids_{};
  std::atomic<std::size_t> inserted_{0};
};

class XTGRAD_LOCAL Orphans;

/// Whether anybody looks after a parameter's gradient: who asked a model for its parameters or its state, an
/// optimizer, or who has read, set or cleared the gradient. A parameter that nobody has adopted is an orphan,
/// and is in one list with all others.
class Adoption {
 public:
  /// `leaf` is the parameter's, whose gradient is watched.
  XTGRAD_LOCAL Adoption(const ParameterCell& cell, const Tensor& leaf);
  XTGRAD_LOCAL ~Adoption();
  Adoption(const Adoption&) = delete;
  Adoption& operator=(const Adoption&) = delete;

  void adopt() {
    if (!adopted_.load(std::memory_order_relaxed)) leave_orphans();
  }
  /// For a leaf whose gradient accumulates in another place than that of the one before.
  XTGRAD_LOCAL void watch(const Tensor& leaf);

 private:
  friend Orphans;
  XTGRAD_LOCAL void leave_orphans();

  // Orphans are looked at by all threads, under a lock. A parameter's leaf may change meanwhile, so this
  // holds what does not.
  const ParameterCell& cell_;
  xtgrad::detail::GradientStore* gradient_;
  Adoption* previous_ = nullptr;
  Adoption* next_ = nullptr;
  std::atomic<bool> adopted_{false};
  bool is_noticed_ = false;
};

}  // namespace detail
}  // namespace nn
}}  // namespace xtgrad::v1
