#pragma once

#include <cstdint>
#include <memory>

#include "benchmarks/compare/common/workload.h"

namespace bench {

/// The parts of a life of a graph of millions of operations, each of which is a workload.
enum class Part { build, sweep, free };

/// The memory that an operation on numbers takes in xtgrad, whose workloads see to it that this is so; what
/// is done by hand takes as much.
inline constexpr std::int64_t bytes_of_an_operation = 160;

/// A part of a graph of so many millions of operations, by an engine's Chain(part, operations).
template <class Chain, Part part>
std::unique_ptr<Workload> long_chain(const Name& name, float /*rate*/) {
  return std::make_unique<Chain>(part, name.numbers().at(0) * 1'000'000);
}

}  // namespace bench
