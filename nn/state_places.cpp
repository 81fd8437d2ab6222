#include "xtgrad/nn/state_places.h"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/core/copied.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/module_base.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

namespace core = xtgrad::detail;

/// The same elements in memory of their own.
Tensor copy_of(const Tensor& tensor) { return core::make_constant(core::copied(core::array_of(tensor))); }

class ValuePlace final : public StatePlace {
 public:
  ValuePlace(std::string name, ParameterRef cell)
      : StatePlace(std::move(name)), cell_(std::move(cell)), learns_(cell_->requires_grad()) {}

  [[nodiscard]] Tensor read() const override { return cell_->leaf(); }
  [[nodiscard]] const core::Array* peek() override { return &core::array_of(cell_->leaf()); }
  /// The cell has the only handle.
  [[nodiscard]] bool is_own() const override { return core::may_take_over(core::node_of(cell_->leaf()), 1); }
  [[nodiscard]] bool has_check() const override { return true; }
  void prepare(const Tensor& next, bool is_sole) override {
    next_leaf_ = is_sole && is_own() ? Tensor() : cell_->leaf_of(next);
  }
  void write(Tensor& next, bool) noexcept override {
    if (next_leaf_.defined()) {
      cell_->set_leaf(std::exchange(next_leaf_, Tensor()));
    } else {
      std::swap(core::node_of(cell_->leaf()).array.buffer, core::node_of(next).array.buffer);
    }
  }
  [[nodiscard]] const void* where() const override { return cell_.get(); }
  void separate() override { cell_->set_value(copy_of(cell_->leaf())); }
  void keep() override { kept_ = cell_->leaf(); }
  void restore() noexcept override {
    cell_->set_leaf(std::exchange(kept_, Tensor()));
    if (cell_->requires_grad() != learns_) cell_->set_requires_grad(learns_);
  }
  void check(std::string_view function) const override {
    if (cell_->tensor().node() != cell_->leaf().node()) {
      throw GraphError(
          fmt::format("{}: WithParameters puts a tensor in the place of parameter \"{}\": a captured "
                      "function works on the parameter",
                      function, name()));
    }
    if (cell_->requires_grad() == learns_) return;
    throw GraphError(
        fmt::format("{}: parameter \"{}\" was {} when the program was captured and is {}: capture it anew",
                    function, name(), learns_ ? "learning" : "frozen", learns_ ? "frozen" : "learning"));
  }

 private:
  ParameterRef cell_;
  bool learns_;
  Tensor next_leaf_, kept_;
};

/// Where a parameter's gradient accumulates, or a leaf's.
class GradientPlace final : public StatePlace {
 public:
  GradientPlace(std::string name, ParameterRef cell) : StatePlace(std::move(name)), cell_(std::move(cell)) {}
  GradientPlace(std::string name, Tensor leaf) : StatePlace(std::move(name)), leaf_(std::move(leaf)) {}

  [[nodiscard]] Tensor read() const override { return leaf().grad(); }
  [[nodiscard]] const core::Array* peek() override {
    const Tensor gradient = read();  // whose store has a handle, too
    return gradient.defined() ? &core::array_of(gradient) : nullptr;
  }
  void write(Tensor& next, bool is_sole) noexcept override {
    Tensor before = is_sole ? read() : Tensor();
    leaf().set_grad(next);
    if (before.defined()) next = std::move(before);
  }
  [[nodiscard]] const void* where() const override {
    return cell_ ? static_cast<const void*>(cell_.get()) : leaf_.node();
  }
  void separate() override {
    if (const Tensor gradient = read(); gradient.defined()) leaf().set_grad(copy_of(gradient));
  }
  void keep() override { kept_ = read(); }
  void restore() noexcept override { leaf().set_grad(std::exchange(kept_, Tensor())); }

 private:
  [[nodiscard]] const Tensor& leaf() const { return cell_ ? cell_->leaf() : leaf_; }

  ParameterRef cell_;
  Tensor leaf_;  // unless it is a parameter's
  Tensor kept_;
};

/// The value of a leaf, which never changes.
class LeafPlace final : public StatePlace {
 public:
  LeafPlace(std::string name, Tensor leaf)
      : StatePlace(std::move(name)), leaf_(std::move(leaf)), wants_(leaf_.requires_grad()) {}

  [[nodiscard]] Tensor read() const override { return leaf_; }
  [[nodiscard]] const core::Array* peek() override { return &core::array_of(leaf_); }
  void write(Tensor&, bool) noexcept override {}
  [[nodiscard]] const void* where() const override { return leaf_.node(); }
  // Whoever has its elements in hand keeps them: they are put back where they were.
  void separate() override { core::node_of(leaf_).array.buffer = core::array_of(copy_of(leaf_)).buffer; }
  void keep() override { kept_ = core::array_of(leaf_).buffer; }
  void restore() noexcept override {
    core::node_of(leaf_).array.buffer = std::exchange(kept_, core::BufferRef());
    if (leaf_.requires_grad() != wants_) leaf_.set_requires_grad(wants_);
  }
  void check(std::string_view function) const override {
    if (leaf_.requires_grad() == wants_) return;
    throw GraphError(fmt::format(
        "{}: leaf \"{}\" wanted {}gradient when the program was captured and wants {}: capture it anew",
        function, name(), wants_ ? "a " : "no ", wants_ ? "none" : "one"));
  }
  [[nodiscard]] bool has_check() const override { return true; }

 private:
  Tensor leaf_;
  bool wants_;
  core::BufferRef kept_;
};

class BufferPlace final : public StatePlace {
 public:
  BufferPlace(std::string name, Tensor& buffer) : StatePlace(std::move(name)), buffer_(buffer) {}

  [[nodiscard]] Tensor read() const override { return buffer_; }
  [[nodiscard]] const core::Array* peek() override {
    return buffer_.defined() ? &core::array_of(buffer_) : nullptr;
  }
  [[nodiscard]] bool is_own() const override { return core::may_change(core::node_of(buffer_)); }
  void write(Tensor& next, bool is_sole) noexcept override {
    if (is_sole && buffer_.defined()) {
      std::swap(buffer_, next);
    } else {
      buffer_ = next;
    }
  }
  [[nodiscard]] const void* where() const override { return &buffer_; }
  void separate() override {
    if (buffer_.defined()) buffer_ = copy_of(buffer_);
  }
  void keep() override { kept_ = buffer_; }
  void restore() noexcept override { buffer_ = std::exchange(kept_, Tensor()); }

 private:
  Tensor& buffer_;
  Tensor kept_;
};

class StreamPlace final : public StatePlace {
 public:
  StreamPlace(std::string name, Random& stream)
      : StatePlace(std::move(name)), stream_(stream), kept_(stream) {}

  [[nodiscard]] Tensor read() const override { return stream_.state(); }
  [[nodiscard]] const core::Array* peek() override {
    auto* words = words_.mutable_data<std::uint64_t>();
    words[0] = stream_.seed();
    words[1] = stream_.position();
    return &words_;
  }
  void write(Tensor& next, bool) noexcept override {
    const auto* words = core::array_of(next).data<std::uint64_t>();
    stream_.set_state(words[0], words[1]);
  }
  [[nodiscard]] const void* where() const override { return &stream_; }
  void separate() override {
    Random own(stream_.seed());
    own.set_state(stream_.seed(), stream_.position());
    stream_ = own;
  }
  void keep() override { kept_ = stream_; }
  void restore() noexcept override { stream_ = kept_; }

 private:
  Random& stream_;
  Random kept_;
  core::Array words_ = core::Array::uninitialized({2}, Dtype::int64);  // of the state, for `peek`
};

class CounterPlace final : public StatePlace {
 public:
  CounterPlace(std::string name, Counter& counter) : StatePlace(std::move(name)), counter_(counter) {}

  [[nodiscard]] Tensor read() const override { return counter_.state(); }
  [[nodiscard]] const core::Array* peek() override {
    *word_.mutable_data<std::int64_t>() = counter_;
    return &word_;
  }
  void write(Tensor& next, bool) noexcept override {
    counter_ = Counter(*core::array_of(next).data<std::int64_t>());
  }
  [[nodiscard]] const void* where() const override { return &counter_; }
  void separate() override { counter_ = Counter(static_cast<std::int64_t>(counter_)); }
  void keep() override { kept_ = counter_; }
  void restore() noexcept override { counter_ = kept_; }

 private:
  Counter& counter_;
  Counter kept_;
  core::Array word_ = core::Array::uninitialized({}, Dtype::int64);  // of the state, for `peek`
};

/// No value of a program's, but what its values came about under, which must stay what it was.
class Guard : public StatePlace {
 public:
  using StatePlace::StatePlace;

  [[nodiscard]] Tensor read() const final { return {}; }
  [[nodiscard]] const core::Array* peek() final { return nullptr; }
  void write(Tensor&, bool) noexcept final {}
  void separate() final {}
  [[nodiscard]] bool has_check() const final { return true; }
};

/// A plain integer, which no list of steps sees change: it may not.
class IntegerPlace final : public Guard {
 public:
  IntegerPlace(std::string name, std::int64_t& number)
      : Guard(std::move(name)), number_(number), kept_(number) {}

  [[nodiscard]] const void* where() const override { return &number_; }
  void keep() override { kept_ = number_; }
  void restore() noexcept override { number_ = kept_; }
  void check(std::string_view function) const override {
    if (number_ == kept_) return;
    throw GraphError(
        fmt::format("{}: \"{}\" is a plain integer and is {} where it was {} when the program was captured: "
                    "make it a Counter, "
                    "whose steps are recorded",
                    function, name(), number_, kept_));
  }

 private:
  std::int64_t& number_;
  std::int64_t kept_;
};

/// A module that trains computes otherwise than one that does not.
class ModePlace final : public Guard {
 public:
  ModePlace(std::string name, ModuleBase& module)
      : Guard(std::move(name)), module_(module), trains_(module.is_training()) {}

  [[nodiscard]] const void* where() const override { return &module_; }
  void keep() override {}
  // A module's parts are listed after it, and so put back after what it has set them to.
  void restore() noexcept override {
    if (module_.is_training() != trains_) module_.train(trains_);
  }
  void check(std::string_view function) const override {
    if (module_.is_training() == trains_) return;
    throw GraphError(
        fmt::format("{}: {} was in {} when the program was captured and is in {}: capture it anew", function,
                    name().empty() ? "the model" : fmt::format("\"{}\"", name()),
                    trains_ ? "train()" : "eval()", trains_ ? "eval()" : "train()"));
  }

 private:
  ModuleBase& module_;
  bool trains_;
};

/// Options: steps have them as attributes.
class SettingPlace final : public Guard {
 public:
  SettingPlace(std::string name, std::shared_ptr<const void>& holder)
      : Guard(std::move(name)), holder_(holder), kept_(holder) {}

  [[nodiscard]] const void* where() const override { return &holder_; }
  void keep() override { kept_ = holder_; }
  void restore() noexcept override { holder_ = kept_; }
  void check(std::string_view function) const override {
    if (holder_ == kept_) return;
    throw GraphError(fmt::format(
        "{}: options have been set since the program was captured, of which \"{}\" is one: capture "
        "it anew",
        function, name()));
  }

 private:
  std::shared_ptr<const void>& holder_;  // options are replaced as a whole
  std::shared_ptr<const void> kept_;
};

/// Lists places, each once.
class Lister final : public Members {
 public:
  std::vector<std::unique_ptr<StatePlace>> places;

  void add(const StateRoot& root) {
    if (root.object != nullptr) visit(*root.object);
    if (root.stream != nullptr) on_stream("stream", *root.stream);
    if (root.counter != nullptr) on_counter("counter", *root.counter);
    if (root.parameter != nullptr) add_parameter(root.parameter->name(), root.parameter);
    if (root.leaf.defined()) add_leaf(root.leaf);
  }

 protected:
  void on_object(const std::string& path, Stateful& object) override {
    if (auto* module = dynamic_cast<ModuleBase*>(&object); module != nullptr && is_new(module))
      places.push_back(std::make_unique<ModePlace>(path, *module));
  }
  void on_parameter(const std::string& path, Parameter& parameter) override {
    add_parameter(path, parameter.cell());
  }
  void on_buffer(const std::string& path, Tensor& buffer) override {
    if (is_new(&buffer)) places.push_back(std::make_unique<BufferPlace>(unused(path), buffer));
  }
  void on_stream(const std::string& path, Random& stream) override {
    if (is_new(&stream)) places.push_back(std::make_unique<StreamPlace>(unused(path), stream));
  }
  void on_counter(const std::string& path, Counter& counter) override {
    if (is_new(&counter)) places.push_back(std::make_unique<CounterPlace>(unused(path), counter));
  }
  void on_setting(const std::string& path, double&, std::shared_ptr<const void>& holder) override {
    if (is_new(&holder)) places.push_back(std::make_unique<SettingPlace>(path, holder));
  }
  void on_integer(const std::string& path, std::int64_t& counter) override {
    if (is_new(&counter)) places.push_back(std::make_unique<IntegerPlace>(unused(path), counter));
  }

 private:
  void add_parameter(const std::string& path, const ParameterRef& cell) {
    if (!is_new(cell.get())) return;
    const std::string name = unused(path.empty() ? "parameter" : path);
    places.push_back(std::make_unique<ValuePlace>(name, cell));
    places.push_back(std::make_unique<GradientPlace>(unused(name + ".grad"), cell));
  }
  void add_leaf(const Tensor& leaf) {
    if (!is_new(leaf.node())) return;
    const std::string given = leaf.name(), name = unused(given.empty() ? "leaf" : given);
    places.push_back(std::make_unique<LeafPlace>(name, leaf));
    places.push_back(std::make_unique<GradientPlace>(unused(name + ".grad"), leaf));
  }
  bool is_new(const void* place) { return listed_.insert(place).second; }
  std::string unused(const std::string& name) {
    std::string result = name;
    // How often a name has come up says where to go on.
    for (int& k = next_number_[name]; !names_.insert(result).second;)
      result = fmt::format("{}#{}", name, ++k);
    return result;
  }

  std::unordered_set<const void*> listed_;
  std::unordered_set<std::string> names_;
  std::unordered_map<std::string, int> next_number_;
};

}  // namespace

std::vector<std::unique_ptr<StatePlace>> state_places(const std::vector<StateRoot>& roots) {
  Lister lister;
  for (const StateRoot& root : roots) lister.add(root);
  return std::move(lister.places);
}

const StatePlace* first_moved(const std::vector<std::unique_ptr<StatePlace>>& before,
                              const std::vector<StateRoot>& roots) {
  const std::vector<std::unique_ptr<StatePlace>> now = state_places(roots);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (i >= now.size() || before[i]->where() != now[i]->where()) return before[i].get();
  }
  return nullptr;
}

}  // namespace xtgrad::v1::nn::detail
