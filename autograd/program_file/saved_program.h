#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "xtgrad/autograd/program/steps.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

// A program in a file is a safetensors file (io/safetensors.h). Its metadata has one note, "program", in
// JSON:
//
//   {"version": 1,                  of what is described here
//    "xtgrad": "0.1.0",             the library that wrote it
//    "recorded_steps": 12,
//    "values": [["float32", [2, 3]], ["float32", [3]], ...],
//    "inputs": [{"value": 0, "name": "in0", "wants_gradient": false}, ...],
//    "constants": [4, ...],
//    "state": [{"name": "weight", "before": 1, "after": 9}, ...],
//    "steps": [{"operation": "sum", "attributes": {"axes": [0], "keepdim": false},
//               "inputs": [0], "outputs": [5], "module": "MLP.layers.0", "rule": "mul", "of": 4}, ...],
//    "results": [8, ...]}
//
// Values are named by their places in "values", each of which says dtype and shape, and in a third place, if
// there is one, the value that is its gradient. Where one is seen in another shape, it is [value, shape] in
// place of its number; null stands for an output that nobody wants, and for a state that is not read, or not
// written. Steps are in an order in which each reads what is there, and none of them is fused: that is done
// where the program is loaded. "module", "rule" and "of" say where a step comes from, and may be missing.
//
// Attributes are those of `Primitive::describe`: true and false, integers, text and lists of integers are
// themselves; a double is {"double": "0.1"}, a list of them {"doubles": ["0.1", "inf"]}: the shortest text
// that is read as the same bits, "nan" or "nan:0x7ff8000000000001".
//
// The file's tensors are the constants, "constant/4", and the state as it was when the program was saved,
// "state/weight", where it was there.

inline constexpr const char* program_note = "program";
inline constexpr std::int64_t program_version = 1;
inline std::string constant_name(std::size_t value) { return "constant/" + std::to_string(value); }
inline std::string state_name(const std::string& name) { return "state/" + name; }

/// What is in such a file. Steps are as they were before any were fused.
struct SavedProgram {
  ProgramSteps steps;
  std::size_t recorded_steps = 0;
  std::vector<char> wants_gradient = {};  // of each input
  std::vector<Tensor> state = {};         // of each of the steps' state; empty handles for what is not there
};

}  // namespace xtgrad::v1::detail
