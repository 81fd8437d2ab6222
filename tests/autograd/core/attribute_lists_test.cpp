#include "xtgrad/autograd/core/attribute_lists.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

/// The primitives that `f` runs.
template <class F>
detail::Trace traced(F f) {
  detail::Tracer tracer;
  f();
  return tracer.take();
}

/// Gives one attribute another value, as reading from a file would.
class SetAttribute final : public Attributes {
 public:
  SetAttribute(std::string name, AttributeValue value) : name_(std::move(name)), value_(std::move(value)) {}

 protected:
  bool visit(std::string_view name, AttributeValue& value, bool) override {
    if (name != name_) return false;
    value = value_;
    return true;
  }

 private:
  std::string name_;
  AttributeValue value_;
};

}  // namespace

TEST_CASE("attributes: primitives are compared by name and by every attribute") {
  const Tensor x = ones({2, 3});
  const detail::Trace trace = traced([&] {
    static_cast<void>(sum(x, {.axes = {0}}));
    static_cast<void>(sum(x, {.axes = {-2}}));
    static_cast<void>(sum(x, {.axes = {0}, .keepdim = true}));
    static_cast<void>(mean(x, {.axes = {0}}));
    static_cast<void>(x * 2);
    static_cast<void>(x * 3);
  });
  REQUIRE(trace.steps.size() == 6);
  const auto same = [&](std::size_t i, std::size_t j) {
    return detail::same_primitive(*trace.steps[i].primitive, *trace.steps[j].primitive);
  };
  CHECK(same(0, 1));
  CHECK_FALSE(same(0, 2));
  CHECK_FALSE(same(0, 3));
  CHECK_FALSE(same(4, 5));
}

TEST_CASE("attributes: doubles are compared by their bits") {
  const Tensor x = ones({2});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const detail::Trace trace = traced([&] {
    for (const Scalar number :
         {Scalar(0.0), Scalar(-0.0), Scalar(nan), Scalar(nan), Scalar(1.0), Scalar(1)}) {
      static_cast<void>(x * number);
    }
  });
  const auto same = [&](std::size_t i, std::size_t j) {
    return detail::same_primitive(*trace.steps[i].primitive, *trace.steps[j].primitive);
  };
  // 1 * 0 and 1 * -0 are two values.
  CHECK_FALSE(same(0, 1));
  CHECK(same(0, 0));
  CHECK(same(1, 1));
  CHECK(same(2, 3));
  CHECK_FALSE(same(0, 2));
  CHECK_FALSE(same(4, 5));  // an integer is told apart, too: all its digits count
  using detail::NamedAttribute;
  CHECK(NamedAttribute{"a", 0.5} == NamedAttribute{"a", 0.5, true});
  CHECK_FALSE(NamedAttribute{"a", 0.5} == NamedAttribute{"b", 0.5});
  CHECK_FALSE(NamedAttribute{"a", 0.5} == NamedAttribute{"a", std::string("0.5")});
  CHECK(NamedAttribute{"a", std::vector<std::int64_t>{1}} ==
        NamedAttribute{"a", std::vector<std::int64_t>{1}});
}

TEST_CASE("attributes: text names what is not as usual") {
  const Tensor x = ones({1, 1, 4, 4}), w = ones({1, 1, 3, 3});
  const detail::Trace trace = traced([&] {
    static_cast<void>(conv2d(x, w, {.padding = 1}));
    static_cast<void>(conv2d(x, w, {.dilation = {1, 1}, .groups = 1}));
    static_cast<void>(sum(x, {.axes = {0, 2}, .keepdim = true}));
    static_cast<void>(max_pool2d(x, {.kernel = 2, .stride = 1}));
    static_cast<void>(x.to(float64));
    static_cast<void>(x * 0.5);
  });
  std::vector<std::string> texts;
  for (const detail::TracedStep& step : trace.steps) texts.push_back(detail::attribute_text(*step.primitive));
  CHECK(texts == std::vector<std::string>{"stride=[1, 1], padding=[1, 1]", "stride=[1, 1], padding=[0, 0]",
                                          "axes=[0, 2], keepdim", "kernel=[2, 2], stride=[1, 1]",
                                          "dtype=float64", "0.5"});
}

TEST_CASE("attributes: a visitor that writes changes the primitive") {
  const Tensor x = ones({2, 3});
  const detail::Trace trace = traced([&] {
    static_cast<void>(sum(x, {.axes = {0}}));
    static_cast<void>(sum(x, {.axes = {1}}));
    static_cast<void>(x.to(float64));
    static_cast<void>(x.to(int64));
  });
  const auto changed = [&](std::size_t from, std::size_t to, const std::string& name,
                           const AttributeValue& value) {
    const detail::PrimitiveCopy copy(*trace.steps[from].primitive);
    SetAttribute set(name, value);
    const_cast<detail::Primitive&>(*copy).describe(set);
    return detail::same_primitive(*copy, *trace.steps[to].primitive);
  };
  CHECK(changed(0, 1, "axes", std::vector<std::int64_t>{1}));
  CHECK_FALSE(changed(0, 1, "axes", std::vector<std::int64_t>{0, 1}));
  CHECK(changed(2, 3, "dtype", std::string("int64")));
}
