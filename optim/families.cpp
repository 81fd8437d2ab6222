// The sources of optim that have primitives, for programs that load a file
// (autograd/program_file/families.h).
#include "xtgrad/autograd/program_file/families.h"

#include "xtgrad/autograd/program_file/mention.h"
#include "xtgrad/optim/adadelta.h"
#include "xtgrad/optim/adagrad.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/adamax.h"
#include "xtgrad/optim/asgd.h"
#include "xtgrad/optim/clip.h"
#include "xtgrad/optim/lion.h"
#include "xtgrad/optim/nadam.h"
#include "xtgrad/optim/radam.h"
#include "xtgrad/optim/rmsprop.h"
#include "xtgrad/optim/rprop.h"
#include "xtgrad/optim/sgd.h"

namespace xtgrad::inline v1::detail {
namespace {

template <class Options>
Tensor step_of(const Tensor& x) {
  return optim::step({x}, {x}, {}, Options{}).parameters[0];
}

}  // namespace

void mention_families_of_optim() {
  static constexpr Mention mentions[] = {
      {"adadelta", step_of<optim::AdadeltaOptions>},
      {"adagrad", step_of<optim::AdagradOptions>},
      {"adam", step_of<optim::AdamOptions>},
      {"adamax", step_of<optim::AdamaxOptions>},
      {"asgd", step_of<optim::ASGDOptions>},
      {"lion", step_of<optim::LionOptions>},
      {"nadam", step_of<optim::NAdamOptions>},
      {"radam", step_of<optim::RAdamOptions>},
      {"rmsprop", step_of<optim::RMSPropOptions>},
      {"rprop", step_of<optim::RpropOptions>},
      {"sgd", step_of<optim::SGDOptions>},
      {"clip", [](const Tensor&) { return optim::grad_norm({}); }},
  };
  keep_mentioned(mentions);
}

}  // namespace xtgrad::v1::detail
