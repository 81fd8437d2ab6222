#include "xtgrad/nn/files.h"

#include <utility>

#include "xtgrad/autograd/io/on_behalf.h"

namespace xtgrad::inline v1::nn {

void save(const std::string& path, const StateDict& state) {
  xtgrad::detail::save_safetensors("nn::save", path, {.tensors = {state.begin(), state.end()}});
}

StateDict load(const std::string& path, const ReadLimits& limits) {
  StateDict state;
  for (NamedTensor& tensor : xtgrad::detail::load_safetensors("nn::load", path, limits).tensors) {
    state.add(std::move(tensor.name), tensor.value);
  }
  return state;
}

}  // namespace xtgrad::v1::nn
