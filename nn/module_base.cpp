#include "xtgrad/nn/module_base.h"

#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/listing.h"
#include "xtgrad/nn/module_call.h"
#include "xtgrad/nn/orphans.h"
#include "xtgrad/nn/rollback.h"
#include "xtgrad/nn/summary.h"
#include "xtgrad/nn/type_name.h"

namespace xtgrad::inline v1::nn {

namespace {

class ListBuffers : public Members {
 public:
  std::vector<NamedBuffer> result;

 private:
  void on_buffer(const std::string& path, Tensor& buffer) override {
    if (buffer.defined()) result.push_back({path, buffer});
  }
};

class Convert : public Members {
 public:
  explicit Convert(Dtype dtype) : dtype_(dtype) {}

 private:
  void on_parameter(const std::string&, Parameter& parameter) override { parameter.to(dtype_); }
  void on_buffer(const std::string&, Tensor& buffer) override {
    if (buffer.defined() && is_floating(buffer.dtype())) buffer = buffer.to(dtype_);
  }

  Dtype dtype_;
};

}  // namespace

void ModuleBase::members(Members&) {}

std::vector<NamedParameter> ModuleBase::named_parameters() const {
  std::vector<NamedParameter> list =
      detail::list_parameters(static_cast<ModuleBase&>(detail::readable(*this)));
  for (const NamedParameter& named : list) named.parameter->adopt();
  return list;
}

std::vector<ParameterRef> ModuleBase::parameters() const {
  std::vector<ParameterRef> refs;
  for (NamedParameter& named : named_parameters()) refs.push_back(std::move(named.parameter));
  return refs;
}

std::vector<NamedBuffer> ModuleBase::named_buffers() const {
  ListBuffers list;
  list.visit(detail::readable(*this));
  return std::move(list.result);
}

std::int64_t ModuleBase::parameter_count() const {
  std::int64_t count = 0;
  for (const NamedParameter& named : named_parameters()) count += named.parameter->numel();
  return count;
}

void ModuleBase::to(Dtype dtype) {
  if (!is_floating(dtype)) {
    throw DtypeError("to: a model must be float32 or float64: got " + std::string(to_string(dtype)));
  }
  detail::Rollback rollback(*this);
  Convert(dtype).visit(*this);
  rollback.keep();
}

void ModuleBase::train(bool training) {
  struct Find : Members {
    void on_object(const std::string&, Stateful& object) override {
      if (auto* module = dynamic_cast<ModuleBase*>(&object)) modules.push_back(module);
    }
    std::vector<ModuleBase*> modules;
  };
  Find find;
  find.visit(*this);
  for (ModuleBase* const module : find.modules) module->training_ = training;  // all of them, or none
}

void ModuleBase::zero_grad() {
  const std::vector<ParameterRef> list = parameters();
  if (detail::Orphans::any_with_gradient()) detail::Orphans::check_cleared(type_name() + ": zero_grad", list);
  for (const ParameterRef& parameter : list) parameter->zero_grad();
}

std::string ModuleBase::type_name() const { return detail::type_name(typeid(*this)); }

std::uint64_t ModuleBase::model_id() const { return id_.get(); }

std::string ModuleBase::label() const {
  std::string path;
  const detail::ModuleCall* call = detail::ModuleCall::current();
  if (call == nullptr || !detail::find_path(call->root(), *this, path) || path.empty()) return type_name();
  return type_name() + " (" + path + ")";
}

std::string ModuleBase::summary_of(const Callable<void()>& run) { return detail::summary_of(*this, run); }

}  // namespace xtgrad::v1::nn
