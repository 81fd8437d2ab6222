// An error that leaves a module's forward says where in the model it came from.

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/nn.h"

using namespace xtgrad;

namespace {

struct Attention : nn::ModuleOf<Tensor(const Tensor&, const Tensor&)> {
  nn::Linear query{3, 3};
  void members(nn::Members& m) override { m("query", query); }
  Tensor forward(const Tensor& x, const Tensor& keys) override { return matmul(query(x), keys); }
};

struct Decoder : nn::Module {
  Attention attention;
  Tensor keys = ones({2, 2});
  void members(nn::Members& m) override { m("attention", attention); }
  Tensor forward(const Tensor& x) override { return attention(x, keys); }
};

struct Model : nn::Module {
  Decoder decoder;
  void members(nn::Members& m) override { m("decoder", decoder); }
  Tensor forward(const Tensor& x) override { return decoder(x); }
};

/// Throws what it is told to.
struct Thrower : nn::Module {
  std::string message;
  Tensor forward(const Tensor&) override { throw ValueError(message); }
};

struct Holder : nn::Module {
  Thrower part;
  void members(nn::Members& m) override { m("part", part); }
  Tensor forward(const Tensor& x) override { return part(x); }
};

}  // namespace

TEST_CASE("an operation's error names the innermost module once, by its path, and keeps its type") {
  Model model;
  CHECK_THROWS_WITH_AS(static_cast<void>(model(ones({1, 3}))),
                       "decoder.attention (Attention): matmul: inner sizes differ: a is [1, 3], b is [2, 2]",
                       ShapeError);
  // The path is from the outermost module that runs.
  CHECK_THROWS_WITH_AS(static_cast<void>(model.decoder(ones({1, 3}))),
                       "attention (Attention): matmul: inner sizes differ: a is [1, 3], b is [2, 2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(model.decoder.attention(ones({1, 3}), ones({2, 2}))),
                       "Attention: matmul: inner sizes differ: a is [1, 3], b is [2, 2]", ShapeError);
  model.decoder.keys = ones({3, 2}, {.dtype = float64});
  CHECK_THROWS_AS(static_cast<void>(model(ones({1, 3}))), DtypeError);
}

TEST_CASE("a layer that names itself is not named twice") {
  Model model;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(model(ones({1, 5}))),
      "Linear (decoder.attention.query): input has 5 features in its last dimension, weight is [3, 3]",
      ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(model.decoder.attention.query(ones({1, 5}))),
                       "Linear: input has 5 features in its last dimension, weight is [3, 3]", ShapeError);
}

TEST_CASE("a message that begins with the module's type gets its path alone") {
  Holder model;
  const Tensor x = ones({1});
  model.part.message = "Thrower: no luck";
  CHECK_THROWS_WITH_AS(static_cast<void>(model(x)), "part: Thrower: no luck", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(model.part(x)), "Thrower: no luck", ValueError);
  model.part.message = "Throwers: no luck";
  CHECK_THROWS_WITH_AS(static_cast<void>(model(x)), "part (Thrower): Throwers: no luck", ValueError);
}

TEST_CASE("the same call throws the same message again") {
  Model model;
  for (int i = 0; i < 2; ++i) {
    CHECK_THROWS_WITH_AS(
        static_cast<void>(model(ones({1, 3}))),
        "decoder.attention (Attention): matmul: inner sizes differ: a is [1, 3], b is [2, 2]", ShapeError);
  }
}

TEST_CASE("a module that the model does not list is named by its type") {
  struct Borrower : nn::Module {
    Thrower* borrowed = nullptr;
    Tensor forward(const Tensor& x) override { return (*borrowed)(x); }
  };
  Thrower part;
  part.message = "no luck";
  Borrower model;
  model.borrowed = &part;
  CHECK_THROWS_WITH_AS(static_cast<void>(model(ones({1}))), "Thrower: no luck", ValueError);
}

TEST_CASE("an error that a module catches and replaces is the replacement's") {
  struct Patient : nn::Module {
    Thrower part;
    void members(nn::Members& m) override { m("part", part); }
    Tensor forward(const Tensor& x) override {
      try {
        return part(x);
      } catch (const Error& error) {
        throw GraphError(std::string("gave up: ") + error.what());
      }
    }
  };
  Patient model;
  model.part.message = "no luck";
  CHECK_THROWS_WITH_AS(static_cast<void>(model(ones({1}))), "Patient: gave up: part (Thrower): no luck",
                       GraphError);
}

TEST_CASE("exceptions of others pass as they are") {
  struct Foreign : nn::Module {
    Tensor forward(const Tensor&) override { throw std::out_of_range("elsewhere"); }
  };
  CHECK_THROWS_WITH_AS(static_cast<void>(Foreign()(ones({1}))), "elsewhere", std::out_of_range);
}

TEST_CASE("a model whose members is wrong keeps the error it was about to throw") {
  struct Twice : nn::Module {
    Thrower part;
    void members(nn::Members& m) override {
      m("part", part);
      m("part", part);
    }
    Tensor forward(const Tensor& x) override { return part(x); }
  };
  Twice model;
  model.part.message = "no luck";
  CHECK_THROWS_AS(static_cast<void>(model(ones({1}))), ValueError);
  try {
    static_cast<void>(model(ones({1})));
  } catch (const Error& error) {
    CHECK(std::string(error.what()).ends_with("no luck"));
  }

  struct TwiceUsed : nn::Module {
    nn::Linear part{1, 1};
    void members(nn::Members& m) override {
      m("part", part);
      m("part", part);
    }
    Tensor forward(const Tensor& x) override { return part(x); }
  };
  CHECK_THROWS_WITH_AS(static_cast<void>(TwiceUsed()(ones({1, 1}))),
                       "TwiceUsed: members lists the name \"part\" twice", ValueError);
}

TEST_CASE("after an error, nothing of its calls is left") {
  Model model;
  CHECK_THROWS_AS(static_cast<void>(model(ones({1, 3}))), ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(matmul(ones({1, 3}), ones({2, 2}))),
                       "matmul: inner sizes differ: a is [1, 3], b is [2, 2]", ShapeError);
  model.decoder.keys = ones({3, 2});
  CHECK(model(ones({1, 3})).shape() == Shape{1, 2});
}
