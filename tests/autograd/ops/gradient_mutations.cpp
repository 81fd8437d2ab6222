#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/autograd/ops/mutations.h"
#include "tests/support/rule_mutation.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/grad.h"

namespace xtgrad::inline v1::testing {
namespace {

/// The gradients that the node's rule gives to its slots, empty handles where it gives none. A slot
/// and an input of the sample are matched by their node: a sample may pass its inputs in any order.
std::vector<Tensor> slot_gradients(const Op& op, const Sample& sample) {
  Random random = random_for(op, Check::derivatives);
  const std::vector<Values> values = draw_inputs(sample, float64, random);
  const std::vector<Tensor> inputs = make_inputs(sample, values, float64, true);
  const Tensor y = sample.apply(inputs);
  const Values cotangent = fill(y.shape(), [&](const Index&) { return random.next_normal(); });
  const std::vector<Tensor> wanted = differentiable_of(sample, inputs);
  std::vector<detail::NodeCounts*> nodes;
  for (const detail::Slot& slot : operation_node(y).slots()) nodes.push_back(slot.node());
  std::vector<Tensor> gradients(nodes.size());
  const std::vector<Tensor> got =
      grad(std::span(&y, 1), wanted, {.cotangents = {to_tensor(cotangent, y.dtype())}, .allow_unused = true});
  for (std::size_t slot = 0; slot < nodes.size(); ++slot) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].node() == nodes[slot]) gradients[slot] = got[i];
    }
  }
  return gradients;
}

bool same_elements(const Tensor& a, const Tensor& b) { return to_values(a).data == to_values(b).data; }

/// True if the derivative check finds the fault and names the operation.
bool is_seen(const Op& op, const Sample& sample) {
  const std::string name(detail::to_string(op.id));
  // Order 1 is enough: a fault in a rule is a fault of the first derivative.
  const Report report = check_sample(op, sample, 1);
  return !report.ok() && report.text().find(name) != std::string::npos;
}

/// What became of one kind of fault in one slot, over all samples of an operation.
struct Fate {
  bool possible = false;  // some sample's rule gives the slot a gradient that the fault can spoil
  bool seen = false;
};

class MutationRun {
 public:
  explicit MutationRun(const Op& op) : op_(op) {
    for (const Sample& sample : op.samples) {
      if (!sample.derivatives || sample.combined) continue;
      samples_.push_back(&sample);
      gradients_.push_back(slot_gradients(op, sample));
      slots_ = std::max(slots_, gradients_.back().size());
    }
  }

  [[nodiscard]] std::size_t slots() const { return slots_; }

  [[nodiscard]] Fate run(RuleMutation::Kind kind, std::size_t slot) const {
    const RuleMutation::Fault mutation{.op = detail::to_string(op_.id), .kind = kind, .input = slot};
    Fate fate;
    for (std::size_t i = 0; i < samples_.size() && !fate.seen; ++i) {
      if (!can_spoil(mutation, gradients_[i])) continue;
      fate.possible = true;
      const RuleMutation fault(mutation);
      fate.seen = is_seen(op_, *samples_[i]);
    }
    return fate;
  }

  /// True if some sample has two gradients that the fault would exchange, and they are equal wherever it has.
  [[nodiscard]] bool exchanges_equals(std::size_t slot) const {
    bool any = false;
    for (const std::vector<Tensor>& gradients : gradients_) {
      if (!can_be_swapped(gradients, slot)) continue;
      any = true;
      if (!same_elements(gradients[slot], gradients[(slot + 1) % gradients.size()])) return false;
    }
    return any;
  }

 private:
  static bool can_be_swapped(const std::vector<Tensor>& gradients, std::size_t slot) {
    if (slot >= gradients.size() || !gradients[slot].defined() || gradients[slot].numel() == 0) return false;
    const Tensor& other = gradients[(slot + 1) % gradients.size()];
    return gradients.size() > 1 && other.defined() && other.shape() == gradients[slot].shape();
  }

  static bool can_spoil(const RuleMutation::Fault& mutation, const std::vector<Tensor>& gradients) {
    const std::size_t slot = mutation.input;
    if (mutation.kind == RuleMutation::Kind::swapped) return can_be_swapped(gradients, slot);
    return slot < gradients.size() && gradients[slot].defined() && gradients[slot].numel() > 0;
  }

  const Op& op_;
  std::vector<const Sample*> samples_;
  std::vector<std::vector<Tensor>> gradients_;  // of each sample, by slot
  std::size_t slots_ = 0;
};

}  // namespace

void mutate_gradients(const Op& op, MutationReport& report) {
  constexpr std::pair<RuleMutation::Kind, Fault> kinds[] = {
      {RuleMutation::Kind::factor, Fault::factor},
      {RuleMutation::Kind::dropped, Fault::dropped},
      {RuleMutation::Kind::element_dropped, Fault::element_dropped},
      {RuleMutation::Kind::element_negated, Fault::element_negated},
      {RuleMutation::Kind::swapped, Fault::swapped}};
  const MutationRun run(op);
  for (const auto& [kind, name] : kinds) {
    for (std::size_t slot = 0; slot < run.slots(); ++slot) {
      const Fate fate = run.run(kind, slot);
      if (!fate.possible) continue;
      const std::string fault =
          fmt::format("{}: {}, input {}", detail::to_string(op.id), to_string(name), slot);
      if (kind == RuleMutation::Kind::swapped && op.equal_gradients) {
        if (!run.exchanges_equals(slot))
          report.survivors.push_back(fault + ": equal gradients are declared, but they differ");
        ++report.of(name).equivalent;
      } else if (fate.seen) {
        ++report.of(name).seen;
      } else {
        report.survivors.push_back(fault + ": no sample's derivative check notices");
      }
    }
  }
}

}  // namespace xtgrad::v1::testing
