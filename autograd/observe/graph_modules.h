#pragma once

#include <memory>
#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// Notes which modules run on this thread while in scope, for `graph_of`: a node says nothing of the module
/// that made it, so that one which nobody draws costs nothing.
///
///   const GraphModules modules;
///   const Tensor loss = nn::cross_entropy(model(x), labels);
///   std::cout << to_dot(graph_of(loss, modules));  // relu is drawn with the module that it ran in
class GraphModules {
 public:
  [[nodiscard("a scope ends with its statement unless it has a name")]] GraphModules();
  ~GraphModules();
  GraphModules(const GraphModules&) = delete;
  GraphModules& operator=(const GraphModules&) = delete;

  // For the library alone: where in its model the innermost module is that ran when the node was made, or
  // whose rule did; empty if that is the model itself, or none.
  [[nodiscard]] std::string path_of(const detail::NodeCounts& node) const;

 private:
  class Watch;
  std::unique_ptr<Watch> watch_;
};

}}  // namespace xtgrad::v1
