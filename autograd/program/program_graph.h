#pragma once

#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// Steps as nodes, what they are given as leaves, and what becomes of the state as nodes of "next".
Graph graph_of_steps(const ProgramSteps& program);

}  // namespace xtgrad::v1::detail
