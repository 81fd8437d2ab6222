// Saving and loading what `members` lists.
#include "xtgrad/nn/stateful.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/listing.h"
#include "xtgrad/nn/rollback.h"
#include "xtgrad/nn/type_name.h"

namespace xtgrad::inline v1::nn {
namespace {

// int64 has the 64 bits of an uint64, and is what files and other programs know.
Tensor to_tensor(const Random& stream) {
  const std::array<std::int64_t, 2> state{std::bit_cast<std::int64_t>(stream.seed()),
                                          std::bit_cast<std::int64_t>(stream.position())};
  return from_span(state, {2});
}

Tensor to_tensor(std::int64_t counter) { return from_span(std::span<const std::int64_t>(&counter, 1), {}); }

class Save : public Members {
 public:
  StateDict state;

 private:
  void on_parameter(const std::string& path, Parameter& parameter) override {
    parameter.cell()->adopt();
    state.add(path, parameter.cell()->tensor().detach());
  }
  void on_buffer(const std::string& path, Tensor& buffer) override {
    if (buffer.defined()) state.add(path, buffer.detach());
  }
  void on_stream(const std::string& path, Random& stream) override {
    state.add_stream(path, to_tensor(stream));
  }
  void on_counter(const std::string& path, xtgrad::Counter& counter) override {
    state.add(path, to_tensor(counter));
  }
  void on_setting(const std::string& path, double& value, std::shared_ptr<const void>&) override {
    state.add(path, from_span(std::span<const double>(&value, 1), {}));
  }
};

/// The number of a setting in a state; nothing where it has none, or something else.
std::optional<double> setting_in(const StateDict& state, const std::string& path) {
  const Tensor* value = state.find(path);
  if (value == nullptr || !value->defined() || value->shape() != Shape{} || !is_floating(value->dtype()))
    return std::nullopt;
  return value->item();
}

/// Takes over the settings of a state.
class Adopt : public Members {
 public:
  explicit Adopt(const StateDict& state) : state_(state) {}

 private:
  void on_setting(const std::string& path, double& value, std::shared_ptr<const void>&) override {
    if (const std::optional<double> saved = setting_in(state_, path)) value = *saved;
  }

  const StateDict& state_;
};

/// True if a state's value of dtype `stored` may become a `wanted` one: int64 holds the counters and labels
/// that other programs save as narrower integers.
bool becomes(Dtype wanted, Dtype stored) {
  return wanted == stored || (wanted == int64 && is_integer(stored));
}

/// Compares what members lists with a state, changing nothing.
class Compare : public Members {
 public:
  explicit Compare(const StateDict& state) : state_(state) {}

  LoadReport report;
  std::vector<std::string> different;
  std::vector<std::string> different_names;
  std::vector<std::string> settings;    // that differ
  std::vector<std::string> impossible;  // numbers
  /// True if anything is missing that must not be. A random stream may be: other libraries' files have none.
  bool lacks = false;

  void find_unexpected() {
    for (const StateDict::Entry& entry : state_) {
      if (!known_.contains(entry.name)) report.unexpected.push_back(entry.name);
    }
  }

 private:
  void on_parameter(const std::string& path, Parameter& parameter) override {
    compare(path, parameter.shape(), parameter.dtype());
  }
  void on_buffer(const std::string& path, Tensor& buffer) override {
    if (buffer.defined()) {
      compare(path, buffer.shape(), buffer.dtype());
    } else {
      known_.insert(path);
    }
  }
  void on_stream(const std::string& path, Random&) override {
    const bool lacked = lacks;
    compare(path, {2}, int64);
    lacks = lacked;
  }
  void on_counter(const std::string& path, xtgrad::Counter&) override {
    constexpr std::int64_t most = std::int64_t{1} << 62;  // leaves room to count on
    if (!compare(path, {}, int64)) return;
    const std::int64_t count = state_.find(path)->item_int64();
    if (count < 0 || count > most) {
      impossible.push_back(fmt::format("{} is a count, from 0 to 2^62: got {}", path, count));
    }
  }
  void on_setting(const std::string& path, double& value, std::shared_ptr<const void>&) override {
    if (state_.find(path) == nullptr) {
      report.missing.push_back(path);
      return;
    }
    if (!compare(path, {}, float64)) return;
    const double saved = *setting_in(state_, path);
    if (saved != value) settings.push_back(fmt::format("{} is {}, the state's is {}", path, value, saved));
  }

  /// True if there is one that fits.
  bool compare(const std::string& path, const Shape& shape, Dtype dtype) {
    known_.insert(path);
    const Tensor* value = state_.find(path);
    if (value == nullptr) {
      report.missing.push_back(path);
      lacks = true;
      return false;
    }
    if (!value->defined()) {
      different_names.push_back(path);
      different.push_back(fmt::format("{} is {} {}, the state has an empty handle", path, to_string(dtype),
                                      to_string(shape)));
      return false;
    }
    if (value->shape() != shape || !becomes(dtype, value->dtype())) {
      different_names.push_back(path);
      different.push_back(fmt::format("{} is {} {}, the state has {} {}", path, to_string(dtype),
                                      to_string(shape), to_string(value->dtype()),
                                      to_string(value->shape())));
      return false;
    }
    return true;
  }

  const StateDict& state_;
  std::unordered_set<std::string> known_;
};

class Load : public Members {
 public:
  explicit Load(const StateDict& state) : state_(state) {}

  std::vector<const Stateful*> objects;

 private:
  void on_object(const std::string&, Stateful& object) override { objects.push_back(&object); }
  void on_parameter(const std::string& path, Parameter& parameter) override {
    parameter.cell()->adopt();
    if (const Tensor* value = state_.find(path)) parameter.set_value(*value);
  }
  void on_buffer(const std::string& path, Tensor& buffer) override {
    if (const Tensor* value = state_.find(path); value != nullptr && value->defined()) {
      buffer = value->to(buffer.defined() ? buffer.dtype() : value->dtype()).detach();
    }
  }
  void on_stream(const std::string& path, Random& stream) override {
    if (const Tensor* value = state_.find(path)) {
      const Tensor wide = value->to(int64);
      const std::span<const std::int64_t> words = wide.data<std::int64_t>();
      stream.set_state(std::bit_cast<std::uint64_t>(words[0]), std::bit_cast<std::uint64_t>(words[1]));
    }
  }
  void on_counter(const std::string& path, xtgrad::Counter& counter) override {
    if (const Tensor* value = state_.find(path)) counter = value->item_int64();
  }

  const StateDict& state_;
};

std::string line(std::string_view kind, const std::vector<std::string>& items, std::string_view separator) {
  if (items.empty()) return {};
  return fmt::format("\n  {}: {}", kind, fmt::join(items, separator));
}

}  // namespace

StateDict Stateful::state_dict() const {
  Save save;
  save.visit(detail::readable(*this));
  return std::move(save.state);
}

LoadReport Stateful::load_state_dict(const StateDict& state, const LoadOptions& options) {
  detail::Rollback rollback(*this);
  if (options.adopt_settings) Adopt(state).visit(*this);
  Compare compare(state);
  compare.visit(*this);
  compare.find_unexpected();
  const bool names_differ = compare.lacks || !compare.report.unexpected.empty();
  const bool numbers_fit = compare.different.empty() && compare.impossible.empty();
  std::string way_out;
  if (!compare.different.empty()) {
    way_out = fmt::format(
        "\n  to keep what differs as it is, leave it out: "
        "state.erase(\"{}\"), and pass {{.strict = false}}",
        compare.different_names.front());
  }
  if (!numbers_fit || !compare.settings.empty() || (options.strict && names_differ)) {
    throw ValueError(fmt::format(
        "load_state_dict: the state does not fit this {}, which was left as it is:{}{}{}{}{}{}{}{}",
        detail::type_name(typeid(*this)), line("missing", compare.report.missing, ", "),
        line("unexpected", compare.report.unexpected, ", "), line("different", compare.different, "; "),
        line("impossible", compare.impossible, "; "), line("other settings", compare.settings, "; "), way_out,
        compare.settings.empty() ? ""
                                 : "\n  pass {.adopt_settings = true} to go on with the state's settings",
        numbers_fit && options.strict && names_differ ? "\n  pass {.strict = false} to load the rest" : ""));
  }
  Load load(state);
  load.visit(*this);
  for (const Stateful* object : load.objects) object->check_loaded();
  rollback.keep();
  return std::move(compare.report);
}

}  // namespace xtgrad::v1::nn
