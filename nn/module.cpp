#include "xtgrad/nn/module.h"

#include <mutex>
#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/listing.h"
#include "xtgrad/nn/module_call.h"
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
  explicit ListParameters(const void* root) : root_(root) {}

  std::vector<NamedParameter> result;

 private:
  void on_parameter(const std::string& path, Parameter& parameter) override {
    const ParameterRef& slot = parameter.slot();
    if (!seen_.insert(slot.get()).second) return;
    slot->set_listed_by(root_);
    if (improves(path, slot->name())) slot->set_name(path);
    result.push_back({path, slot});
  }

  const void* root_;
  std::unordered_set<const ParameterSlot*> seen_;
};

}  // namespace

std::vector<NamedParameter> list_parameters(Stateful& root) {
  // Listing names the parameters, and two threads may list one model at once, be it only by running it for
  // the first time. Recursive, because a model's `members` may ask its parts for their parameters.
  static std::recursive_mutex listing;
  const std::lock_guard lock(listing);
  ListParameters list(&root);
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

thread_local constinit OnForward* innermost_hook = nullptr;

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

void Module::members(Members&) {}

Tensor Module::operator()(const Tensor& x) {
  Tensor y;
  {
    const detail::ModuleCall call(*this);
    y = forward(x);
  }
  for (OnForward* hook = innermost_hook; hook != nullptr; hook = hook->outer_) hook->function_(*this, x, y);
  return y;
}

std::vector<NamedParameter> Module::named_parameters() const {
  return detail::list_parameters(detail::readable(*this));
}

std::vector<ParameterRef> Module::parameters() const {
  std::vector<ParameterRef> refs;
  for (NamedParameter& named : named_parameters()) refs.push_back(std::move(named.parameter));
  return refs;
}

std::vector<NamedBuffer> Module::named_buffers() const {
  ListBuffers list;
  list.visit(detail::readable(*this));
  return std::move(list.result);
}

std::int64_t Module::parameter_count() const {
  std::int64_t count = 0;
  for (const NamedParameter& named : named_parameters()) count += named.parameter->numel();
  return count;
}

void Module::to(Dtype dtype) {
  if (!is_floating(dtype)) {
    throw DtypeError("to: a model must be float32 or float64: got " + std::string(to_string(dtype)));
  }
  Convert(dtype).visit(*this);
}

void Module::train(bool training) {
  struct SetTraining : Members {
    explicit SetTraining(bool on) : training(on) {}
    void on_object(const std::string&, Stateful& object) override {
      if (auto* module = dynamic_cast<Module*>(&object)) module->training_ = training;
    }
    bool training;
  };
  SetTraining(training).visit(*this);
}

void Module::zero_grad() {
  for (const NamedParameter& named : named_parameters()) named.parameter->zero_grad();
}

std::string Module::type_name() const { return detail::type_name(typeid(*this)); }

std::string Module::label() const {
  std::string path;
  const detail::ModuleCall* call = detail::ModuleCall::current();
  if (call == nullptr || !detail::find_path(call->root(), *this, path) || path.empty()) return type_name();
  return type_name() + " (" + path + ")";
}

OnForward::OnForward(Function function) : function_(std::move(function)), outer_(innermost_hook) {
  innermost_hook = this;
}

OnForward::~OnForward() { innermost_hook = outer_; }

}  // namespace xtgrad::inline v1::nn
