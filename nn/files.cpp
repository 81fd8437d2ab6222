#include "xtgrad/nn/files.h"

#include <utility>
#include <vector>

#include "xtgrad/autograd/io/on_behalf.h"

namespace xtgrad::inline v1::nn {

void save(const std::string& path, const StateDict& state, const SaveOptions& options) {
  std::vector<NamedTensor> tensors;
  for (const NamedTensor& entry : state) {
    if (options.streams || !state.is_stream(entry.name)) tensors.push_back(entry);
  }
  xtgrad::detail::save_safetensors("nn::save", path, {.tensors = std::move(tensors)});
}

StateDict load(const std::string& path, const ReadLimits& limits) {
  StateDict state;
  for (NamedTensor& tensor : xtgrad::detail::load_safetensors("nn::load", path, limits).tensors) {
    state.add(std::move(tensor.name), tensor.value);
  }
  return state;
}

}  // namespace xtgrad::v1::nn
