// Where a profile books time, recomputed steps and functions with rules of their own, and what it writes for
// Chrome.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/custom_vjp.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/observe.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/primitive.h"
#include "xtgrad/nn/nn.h"

using namespace xtgrad;
using nlohmann::json;
using xtgrad::testing::message_of;

namespace {

struct Root : nn::Module {
  Tensor forward(const Tensor& x) override { return sqrt(x); }
};

/// Of two parts, computed at once or again in the backward.
struct Block : nn::Module {
  explicit Block(bool saves_memory) : is_checkpointed(saves_memory) {}
  Root r;
  nn::Tanh t;
  bool is_checkpointed;
  void members(nn::Members& m) override {
    m("r", r);
    m("t", t);
  }
  Tensor forward(const Tensor& x) override {
    const auto f = [this](const Tensor& v) { return exp(t(r(v))); };
    return is_checkpointed ? checkpoint(f, x) : f(x);
  }
};

struct Model : nn::Module {
  explicit Model(bool saves_memory) : c(saves_memory) {}
  Block c;
  void members(nn::Members& m) override { m("c", c); }
  Tensor forward(const Tensor& x) override { return c(x); }
};

/// A checkpoint in a checkpoint.
struct Nested : nn::Module {
  Model inner{true};
  void members(nn::Members& m) override { m("inner", inner); }
  Tensor forward(const Tensor& x) override { return checkpoint(inner, x); }
};

ProfileModule module_of(const Profile& profile, const std::string& name) {
  for (ProfileModule& module : profile.modules()) {
    if (module.name == name) return std::move(module);
  }
  FAIL("no module " << name);
  return {};
}

/// x itself, under any name.
class Named final : public DifferentiablePrimitive<Named> {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override {
    for (std::int64_t i = 0; i < in[0]->numel(); ++i) {
      out[0]->mutable_data<float>()[i] = in[0]->data<float>()[i];
    }
  }
  void vjp(VjpContext& context) const override { context.set(0, context.g()); }

 private:
  std::string name_;
};

}  // namespace

TEST_CASE("what a checkpoint computes again, and its rules, belong to the module that computed it") {
  Model plain(false), saving(true);
  const Tensor x = ones({4}, {.requires_grad = true});
  const Profile profile;
  sum(plain(x)).backward();
  const Tensor loss = sum(saving(x));
  const std::int64_t held = module_of(profile, "Model #2.c.r").held_bytes;
  loss.backward();
  CHECK(module_of(profile, "Model #2.c.r").held_bytes == held);
  for (const std::string part : {".c.r", ".c.t"}) {
    const ProfileModule once = module_of(profile, "Model" + part),
                        again = module_of(profile, "Model #2" + part);
    CAPTURE(part);
    CHECK(once.backward.calls == 1);
    // The forward's one operation again, and its rule's.
    CHECK(again.backward.calls == 2);
    CHECK(again.backward.flops == once.forward.flops + once.backward.flops);
    CHECK(again.forward.calls == once.forward.calls);
    CHECK(again.calls == 1);  // nobody has called it again
    CHECK(again.backward.peak_bytes > 0);
  }
  const ProfileModule block = module_of(profile, "Model #2.c");
  CHECK(block.calls == 1);
  CHECK(block.backward.calls >= 6);  // its own exp, too
}

TEST_CASE("NanGuard names the same module for a step that is computed again") {
  const Tensor x = tensor({4, 0}, {.requires_grad = true});
  const auto message = [&](nn::Module& model) {
    const NanGuard guard;
    const Tensor loss = sum(model(x));
    return message_of([&] { loss.backward(); });
  };
  Model plain(false), saving(true);
  const std::string wanted = "c.r (Root): nan_guard: sqrt.rule0, in the rule of sqrt, gave inf at [1]";
  CHECK(message(plain).find(wanted) == 0);
  CHECK(message(saving) == message(plain));
  Nested nested;
  CHECK(message(nested).find("inner." + wanted) == 0);
  // Outside of the guard's sight there is nothing to name, and nothing goes wrong.
  const Tensor loss = sum(saving(x));
  const NanGuard guard;
  CHECK(message_of([&] { loss.backward(); }).find("nan_guard: sqrt.rule0") == 0);
}

TEST_CASE("an error of a step that is computed again names its module") {
  // Fails when it runs for the second time.
  class Once final : public DifferentiablePrimitive<Once> {
   public:
    explicit Once(int* runs) : runs_(runs) {}
    [[nodiscard]] std::string_view name() const override { return "once"; }
    void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
    void eval(Inputs in, Outputs out) const override {
      if (++*runs_ > 1) throw ValueError("once: ran twice");
      out[0]->mutable_data<float>()[0] = in[0]->data<float>()[0];
    }
    void vjp(VjpContext& context) const override { context.set(0, context.g()); }

   private:
    int* runs_;
  };
  struct Part : nn::Module {
    int runs = 0;
    Tensor forward(const Tensor& x) override { return run(Once(&runs), {x}); }
  };
  struct Whole : nn::Module {
    Part part;
    void members(nn::Members& m) override { m("part", part); }
    Tensor forward(const Tensor& x) override { return checkpoint(part, x); }
  };
  Whole model;
  const Profile profile;
  const Tensor y = model(ones({1}, {.requires_grad = true}));
  CHECK(message_of<ValueError>([&] { sum(y).backward(); }) == "part (Part): once: ran twice");
}

TEST_CASE("seconds are there, add up, and are the module's that took them") {
  struct Two : nn::Module {
    nn::Linear busy{64, 64};
    nn::Tanh idle;
    void members(nn::Members& m) override {
      m("busy", busy);
      m("idle", idle);
    }
    Tensor forward(const Tensor& x) override { return sum(idle(busy(x))); }
  };
  Two model;
  const Tensor x = ones({64, 64});
  const Profile profile;
  square(model(x)).backward();

  double rows = 0, modules = 0, operations = 0, dearest = 0;
  for (const ProfileRow& row : profile.rows()) {
    rows += row.seconds;
    dearest = std::max(dearest, row.seconds);
  }
  for (const std::string name : {"Two", "(outside)"}) {
    const ProfileModule module = module_of(profile, name);
    CHECK(module.forward.seconds > 0);
    CHECK(module.backward.seconds > 0);
    modules += module.forward.seconds + module.backward.seconds;
  }
  CHECK(modules == doctest::Approx(rows).epsilon(1e-9));
  CHECK(profile.rows().front().seconds == dearest);

  // The trace has every operation once, with its module: the parts' and the model's own make the model.
  double busy = 0, idle = 0, own = 0;
  const json trace = json::parse(profile.chrome_trace());
  for (const json& event : trace["traceEvents"]) {
    CHECK(event["dur"] >= 0);
    if (event["cat"] != "operation") continue;
    const double seconds = 1e-6 * event["dur"].get<double>();
    const std::string module = event["args"]["module"];
    (module == "Two.busy"   ? busy
     : module == "Two.idle" ? idle
     : module == "Two"      ? own
                            : operations) += seconds;
  }
  const auto total = [&](const std::string& name) {
    const ProfileModule module = module_of(profile, name);
    return module.forward.seconds + module.backward.seconds;
  };
  const double rounding = 1e-9 * static_cast<double>(profile.modules().front().forward.calls + 20);  // ns
  CHECK(std::abs(busy - total("Two.busy")) < rounding);
  CHECK(std::abs(idle - total("Two.idle")) < rounding);
  CHECK(std::abs(busy + idle + own - total("Two")) < rounding);
  CHECK(std::abs(operations - total("(outside)")) < rounding);
}

TEST_CASE("the table of modules has operations, time, bytes made and arithmetic of both directions") {
  nn::Linear model{3, 4};
  const Profile profile;
  sum(model(ones({1000, 3}))).backward();
  const ProfileModule linear = module_of(profile, "Linear");
  CHECK(linear.forward.bytes == 2 * 1000 * 4 * 4);  // product and sum
  const std::string table = profile.table();
  const std::size_t heading = table.find("\nmodule ");
  REQUIRE(heading != std::string::npos);
  const std::string headings = table.substr(heading + 1, table.find('\n', heading + 1) - heading);
  for (const char* column : {"forward ops", "back ops", "ms", "MB made", "Mflop", "peak MB", "MB held"}) {
    CHECK(headings.find(column) != std::string::npos);
  }
  const std::size_t row = table.find("\nLinear ");
  REQUIRE(row != std::string::npos);
  std::istringstream columns(table.substr(row + 7));
  std::int64_t calls = 0, forward = 0;
  double ms = 0, made = 0;
  columns >> calls >> forward >> ms >> made;
  CHECK(calls == 1);
  CHECK(forward == linear.forward.calls);
  CHECK(made == doctest::Approx(0.032));
}

TEST_CASE("the trace is JSON, whatever the names are") {
  const std::string good =
      "a \"quoted\" \\ name,\n\ttwo lines \x01 \x7F \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x8D";
  // A lone continuation, a sequence cut short, an overlong slash, a surrogate, bytes that never occur.
  const std::string bad = "x\x80y\xC3z\xC0\xAF\xED\xA0\x80\xFF";
  const Tensor x = ones({2}, {.requires_grad = true});
  const Profile profile;
  sum(run(Named(bad), {run(Named(good), {x})})).backward();
  const std::string text = profile.chrome_trace();
  const json trace = json::parse(text);  // strict: it takes no other text, nor what is not UTF-8
  bool has_good = false, has_bad = false, has_rule = false;
  for (const json& event : trace["traceEvents"]) {
    const std::string name = event["name"];
    has_good = has_good || name == good;
    has_rule = has_rule || name == "rule of " + good;
    has_bad = has_bad || (name.starts_with("x\xEF\xBF\xBDy\xEF\xBF\xBDz") && name.ends_with("\xEF\xBF\xBD"));
    CHECK(event["ph"] == "X");
    CHECK(event["ts"].is_number());
  }
  CHECK(has_good);
  CHECK(has_bad);
  CHECK(has_rule);
}

TEST_CASE("a profile without operations is JSON, too") {
  const Profile profile;
  CHECK(json::parse(profile.chrome_trace())["traceEvents"].empty());
}
