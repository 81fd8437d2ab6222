#include "xtgrad/nn/batch_norm_update.h"

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
        update_.norms_.push_back({norm, norm->options().momentum});
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
    throw;
  }
}

BatchNormUpdate::~BatchNormUpdate() { put_back(); }

void BatchNormUpdate::put_back() {
  for (const Norm& norm : norms_) norm.module->set_momentum(norm.momentum);
  // Outer modules come first, and take their parts with them, which come later.
  for (const Mode& mode : modes_) mode.module->train(mode.training);
}

}  // namespace xtgrad::v1::nn
