// What an operation refuses, and what it says.
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/testing/subject.h"

namespace xtgrad::inline v1::detail::checks {
namespace {

constexpr Dtype all_dtypes[] = {
#define XTGRAD_DTYPE(name, text, Storage, Arithmetic, kind) Dtype::name,
#include "xtgrad/autograd/dtypes.def"
#undef XTGRAD_DTYPE
};

class Refusals {
 public:
  explicit Refusals(Subject& subject) : subject_(subject), op_(subject.op) {}

  /// Inputs must be refused by an E whose message begins with a name and has all of `parts`.
  template <class E>
  void expect(const std::vector<Tensor>& inputs, std::initializer_list<std::string_view> parts,
              const std::string& call) {
    expect(testing::throws<E>("", [&] { return op_.apply(inputs); }).attempt(), parts, call);
  }
  void expect(const std::string& message, std::initializer_list<std::string_view> parts,
              const std::string& call) {
    if (!begins_with_name(message)) {
      subject_.fail(
          fmt::format("{}: the message does not begin with the operation's name: \"{}\"", call, message));
    }
    for (const std::string_view part : parts) {
      if (message.find(part) != std::string::npos) continue;
      subject_.fail(fmt::format("{}: the message does not say \"{}\": \"{}\"", call, part, message));
    }
  }

  void empty_handles() {
    for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
      std::vector<Tensor> with_hole = right_inputs();
      with_hole[i] = Tensor();
      const std::string message =
          testing::throws<ValueError>("", [&] { return op_.apply(with_hole); }).attempt();
      if (!op_.names_empty_handles && message.rfind("Tensor: the handle is empty", 0) == 0) continue;
      expect(message, {"the handle is empty"}, fmt::format("input {} an empty handle", i));
    }
  }

  void dtypes() {
    const std::vector<std::size_t> floating = subject_.floating_inputs();
    if (floating.empty()) return;
    for (const Dtype dtype : all_dtypes) {
      if (std::count(op_.dtypes.begin(), op_.dtypes.end(), dtype) > 0) continue;
      std::vector<Tensor> inputs = right_inputs();
      for (const std::size_t i : floating) inputs[i] = ones(inputs[i].shape(), {.dtype = dtype});
      expect<DtypeError>(inputs, {to_string(dtype)}, fmt::format("{} inputs", to_string(dtype)));
    }
  }

  /// One input in another dtype than the others, which the operation takes or not.
  void mixed_dtypes() {
    const std::vector<std::size_t> floating = subject_.floating_inputs();
    if (floating.size() < 2) return;
    const Dtype common = subject_.floating_dtypes().back();
    for (const Dtype other : {float32, float64, int64}) {
      if (other == common) continue;
      for (const std::size_t i : floating) {
        std::vector<Tensor> mixed = right_inputs();
        mixed[i] = ones(mixed[i].shape(), {.dtype = other});
        expect<DtypeError>(mixed, {to_string(other)},
                           fmt::format("input {} {}, the others {}", i, to_string(other), to_string(common)));
      }
    }
  }

  /// No broadcasting makes one shape of these.
  void shapes() {
    if (!subject_.is_elementwise()) return;
    for (std::size_t i = 0; i + 1 < op_.inputs.size(); ++i) {
      std::vector<Tensor> inputs = right_inputs();
      for (std::size_t k = 0; k < inputs.size(); ++k) inputs[k] = reshaped(inputs[k], k <= i);
      expect<ShapeError>(inputs, {"[2, 3]", "[4]"}, fmt::format("[2, 3] up to input {}, [4] after it", i));
    }
  }

  void bad_calls() {
    for (const testing::BadCall& bad : op_.bad_calls) expect(bad.attempt(), {bad.text}, "a bad call");
  }

 private:
  [[nodiscard]] bool begins_with_name(std::string_view message) const {
    const auto begins_with = [&](const std::string& name) { return message.rfind(name + ": ", 0) == 0; };
    return begins_with(op_.name) || std::any_of(op_.other_names.begin(), op_.other_names.end(), begins_with);
  }
  [[nodiscard]] std::vector<Tensor> right_inputs() const {
    const Dtype dtype = subject_.floating_dtypes().back();
    return subject_.tensors(subject_.point(dtype), dtype, false);
  }
  static Tensor reshaped(const Tensor& x, bool first) {
    return ones(first ? Shape{2, 3} : Shape{4}, {.dtype = x.dtype()});
  }

  Subject& subject_;
  const Operation& op_;
};

}  // namespace

void check_errors(Subject& subject) {
  Refusals refusals(subject);
  refusals.empty_handles();
  refusals.dtypes();
  refusals.mixed_dtypes();
  refusals.shapes();
  refusals.bad_calls();
}

}  // namespace xtgrad::v1::detail::checks
