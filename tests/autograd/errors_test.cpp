#include "xtgrad/autograd/errors.h"

#include <doctest/doctest.h>

#include <string>
#include <type_traits>

using namespace xtgrad;

TEST_CASE("an error takes one place into its message, and keeps its type when it is thrown on") {
  const auto inner = [] {
    try {
      throw ShapeError("matmul: sizes differ");
    } catch (Error& error) {
      CHECK_FALSE(error.has_context());
      error.add_context("head (Linear)");
      throw;
    }
  };
  const auto outer = [&] {
    try {
      inner();
    } catch (Error& error) {
      CHECK(error.has_context());
      error.add_context("model");
      throw;
    }
  };
  CHECK_THROWS_WITH_AS(outer(), "head (Linear): matmul: sizes differ", ShapeError);
}

TEST_CASE("an empty place leaves the message as it is for good") {
  ValueError error("lr: must be positive");
  error.add_context("");
  error.add_context("model");
  CHECK(std::string(error.what()) == "lr: must be positive");
}

TEST_CASE("a copy of an error has its message and its place, and copying cannot fail") {
  IoError error("read: no such file");
  error.add_context("loader");
  const IoError copy = error;
  CHECK(std::string(copy.what()) == "loader: read: no such file");
  CHECK(copy.has_context());
  static_assert(std::is_nothrow_copy_constructible_v<IoError>);
}
