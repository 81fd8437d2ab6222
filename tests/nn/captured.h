// What tests of captured functions share: two worlds alike, one that computes and one that replays.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/nn/members.h"

namespace xtgrad::inline v1::testing {

/// All that an object remembers: its state, and the gradients of its parameters.
inline std::vector<std::pair<std::string, Tensor>> remembered(nn::Stateful& object) {
  struct Lister final : nn::Members {
    std::vector<std::pair<std::string, Tensor>> all;
    void on_parameter(const std::string& path, nn::Parameter& parameter) override {
      all.emplace_back(path, parameter.cell()->leaf());
      all.emplace_back(path + ".grad", parameter.cell()->leaf().grad());
    }
    void on_buffer(const std::string& path, Tensor& buffer) override { all.emplace_back(path, buffer); }
    void on_stream(const std::string& path, Random& stream) override {
      all.emplace_back(path, stream.state());
    }
    void on_counter(const std::string& path, Counter& counter) override {
      all.emplace_back(path, counter.state());
    }
  };
  Lister lister;
  lister.visit(object);
  return std::move(lister.all);
}

inline void check_same(nn::Stateful& a, nn::Stateful& b) {
  const auto of_a = remembered(a), of_b = remembered(b);
  REQUIRE(of_a.size() == of_b.size());
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    const std::string& name = of_a[i].first;
    const Tensor &value = of_a[i].second, &other = of_b[i].second;
    CAPTURE(name);
    REQUIRE(value.defined() == other.defined());
    if (value.defined()) CHECK(same_bits(value, other));
  }
}

}  // namespace xtgrad::v1::testing
