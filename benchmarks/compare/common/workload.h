#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// What an engine is asked for: "mlp_sgdm/128@2" is family mlp_sgdm, arguments "128", on 2 threads.
struct Name {
  explicit Name(std::string_view text);
  /// The numbers in the arguments: 8, 3, 224 of "8-3-224" or of "8x3x224"; letters between are separators.
  [[nodiscard]] std::vector<std::int64_t> numbers() const;
  /// What stands before them: gmm of "gmm-1000x10x25".
  [[nodiscard]] std::string kind() const { return arguments.substr(0, arguments.find('-')); }

  std::string family;
  std::string arguments;
  int threads = 1;
};

/// Elements that a workload has computed, of any shape.
using Values = std::vector<float>;

/// One benchmark in one engine, with its inputs made.
class Workload {
 public:
  Workload() = default;
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;
  virtual ~Workload() = default;

  /// What is timed. It does the same each time, but for parameters that an optimizer moves.
  virtual void step() = 0;
  /// What has to be there before each step, and is not timed. Only of workloads that say so, whose steps are
  /// so long that reading the clock around each is nothing.
  virtual void before_step() {}
  [[nodiscard]] virtual bool needs_before_step() const { return false; }
  /// What the last step has computed: the loss or the result, then the gradients, in the order that all
  /// engines agree on.
  virtual std::vector<Values> outputs() = 0;
};

/// `rate` is the learning rate, where there is one: large enough to be seen where engines are compared, and
/// tiny where they are timed, so that thousands of steps compute on the same numbers. Null for arguments that
/// are not known.
using Factory = std::function<std::unique_ptr<Workload>(const Name& name, float rate)>;
using Families = std::map<std::string, Factory>;

/// The factory of a family whose names begin with a kind, `family/kind-numbers`; `kinds` has one for each.
Factory by_kind(Families kinds);

}  // namespace bench
