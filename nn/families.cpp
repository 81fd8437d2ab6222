// The sources of nn that have primitives, for programs that load a file (autograd/program_file/families.h).
#include "xtgrad/autograd/program_file/families.h"

#include "xtgrad/autograd/program_file/mention.h"
#include "xtgrad/nn/cosine.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/element_check.h"

namespace xtgrad::inline v1::detail {

void mention_families_of_nn() {
  static constexpr Mention mentions[] = {
      {"cosine", [](const Tensor& x) { return nn::detail::cosine(x, x, 0, 0); }},
      {"dropout", [](const Tensor& x) { return nn::Dropout().forward(x); }},
      {"element_check", [](const Tensor& x) { return nn::detail::ElementCheck().on(x); }},
  };
  keep_mentioned(mentions);
}

}  // namespace xtgrad::v1::detail
