#include "xtgrad/nn/files.h"

#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/io/on_behalf.h"
#include "xtgrad/autograd/io/saving.h"

namespace xtgrad::inline v1::nn {

void save(const std::string& path, const StateDict& state, const SaveOptions& options) {
  constexpr std::string_view function = "nn::save";
  std::vector<NamedTensor> tensors = xtgrad::detail::saving(function, 0, [&] {
    std::vector<NamedTensor> kept;
    for (const NamedTensor& entry : state) {
      if (options.streams || !state.is_stream(entry.name)) kept.push_back(entry);
    }
    return kept;
  });
  xtgrad::detail::save_safetensors(function, path, {.tensors = std::move(tensors)});
}

StateDict load(const std::string& path, const ReadLimits& limits) {
  StateDict state;
  for (NamedTensor& tensor : xtgrad::detail::load_safetensors("nn::load", path, limits).tensors) {
    state.add(std::move(tensor.name), tensor.value);
  }
  return state;
}

}  // namespace xtgrad::v1::nn
