#include "xtgrad/nn/batch_norm_update.h"

#include <utility>

#include "xtgrad/nn/members.h"

namespace xtgrad::inline v1::nn {

BatchNormUpdate::BatchNormUpdate(ModuleBase& model) {
  class Find final : public Members {
   public:
    explicit Find(BatchNormUpdate& update) : update_(update) {}
    void on_object(const std::string&, Stateful& object) override {
      if (auto* module = dynamic_cast<ModuleBase*>(&object)) {
        update_.modes_.push_back({module, module->is_training()});
      }
      if (auto* norm = dynamic_cast<BatchNorm*>(&object)) {
        update_.norms_.push_back({norm, norm->options().momentum, norm->running_mean, norm->running_var,
                                  norm->num_batches_tracked});
      }
    }

   private:
    BatchNormUpdate& update_;
  };
  Find(*this).visit(model);
  try {
    for (const Norm& norm : norms_) {
      norm.module->reset_running_stats();
      norm.module->set_momentum(std::nullopt);
    }
    model.train();
  } catch (...) {
    put_back();
    for (Norm& norm : norms_) {
      norm.module->running_mean = std::move(norm.mean);
      norm.module->running_var = std::move(norm.variance);
      norm.module->num_batches_tracked = std::move(norm.batches);
    }
    throw;
  }
  for (Norm& norm : norms_) norm.mean = norm.variance = Tensor();  // their memory is not needed any more
}

BatchNormUpdate::~BatchNormUpdate() { put_back(); }

void BatchNormUpdate::put_back() noexcept {
  for (const Norm& norm : norms_) norm.module->set_momentum(norm.momentum);
  for (const Mode& mode : modes_) mode.module->training_ = mode.training;
}

}  // namespace xtgrad::v1::nn
