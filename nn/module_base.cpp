#include "xtgrad/nn/module_base.h"

#include <mutex>
#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/listing.h"
#include "xtgrad/nn/module_call.h"
#include "xtgrad/nn/orphans.h"
#include "xtgrad/nn/type_name.h"

namespace xtgrad::inline v1::nn {
namespace detail {
namespace {

/// A longer path that ends in the name so far comes from further out in the model and says more; any other
/// name was given by someone and stays.
bool improves(const std::string& path, const std::string& name) {
  return name.empty() ||
         (path.size() > name.size() && path.ends_with(name) && path[path.size() - name.size() - 1] == '.');
}

class ListParameters : public Members {
 public:
  explicit ListParameters(std::uint64_t root) : root_(root) {}

  std::vector<NamedParameter> result;

 private:
  void on_parameter(const std::string& path, Parameter& parameter) override {
    const ParameterRef& cell = parameter.cell();
    if (!seen_.insert(cell.get()).second) return;
    cell->set_listed_by(root_);
    if (improves(path, cell->name())) cell->set_name(path);
    result.push_back({path, cell});
  }

  std::uint64_t root_;
  std::unordered_set<const ParameterCell*> seen_;
};

}  // namespace

std::vector<NamedParameter> list_parameters(ModuleBase& root) {
  // Listing names the parameters, and two threads may list one model at once, be it only by running it for
  // the first time. Recursive, because a model's `members` may ask its parts for their parameters.
  static std::recursive_mutex listing;
  const std::lock_guard lock(listing);
  ListParameters list(root.model_id());
  list.visit(root);
  return std::move(list.result);
}

struct StateSnapshot::Visitor : Members {
  explicit Visitor(StateSnapshot& into) : snapshot(into) {}

  void on_buffer(const std::string&, Tensor& buffer) override {
    snapshot.buffers_.push_back({&buffer, buffer});
  }
  void on_stream(const std::string&, Random& stream) override {
    snapshot.streams_.push_back({&stream, stream});
  }
  void on_counter(const std::string&, xtgrad::Counter& counter) override {
    snapshot.counters_.push_back({&counter, counter});
  }
  void on_integer(const std::string&, std::int64_t& counter) override {
    snapshot.integers_.push_back({&counter, counter});
  }

  StateSnapshot& snapshot;
};

StateSnapshot::StateSnapshot(Stateful& root) { Visitor(*this).visit(root); }

void StateSnapshot::restore() const {
  for (const Buffer& buffer : buffers_) *buffer.place = buffer.value;
  for (const Stream& stream : streams_) *stream.place = stream.value;
  for (const Counter& counter : counters_) *counter.place = counter.value;
  for (const Integer& integer : integers_) *integer.place = integer.value;
}

}  // namespace detail

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
  Convert(dtype).visit(*this);
}

void ModuleBase::train(bool training) {
  struct SetTraining : Members {
    explicit SetTraining(bool on) : training(on) {}
    void on_object(const std::string&, Stateful& object) override {
      if (auto* module = dynamic_cast<ModuleBase*>(&object)) module->training_ = training;
    }
    bool training;
  };
  SetTraining(training).visit(*this);
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

}  // namespace xtgrad::v1::nn
