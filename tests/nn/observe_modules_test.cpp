// Profile, NanGuard and hooks where modules run.

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/custom_vjp.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/observe.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/nn.h"

using namespace xtgrad;
using xtgrad::testing::message_of;

namespace {

struct Net : nn::Module {
  nn::Linear hidden{3, 4};
  nn::Linear head{4, 2};
  void members(nn::Members& m) override {
    m("hidden", hidden);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override { return head(tanh(hidden(x))); }
};

/// A function as a module, below another.
struct Part : nn::Module {
  Tensor (*f)(const Tensor&) = nullptr;
  Tensor forward(const Tensor& x) override { return f(x); }
};

struct Holder : nn::Module {
  explicit Holder(Tensor (*f)(const Tensor&)) { part.f = f; }
  Part part;
  void members(nn::Members& m) override { m("part", part); }
  Tensor forward(const Tensor& x) override { return part(x * 1.0); }
};

std::optional<ProfileModule> module_of(const Profile& profile, const std::string& name) {
  for (ProfileModule& module : profile.modules()) {
    if (module.name == name) return std::move(module);
  }
  return std::nullopt;
}

std::vector<std::string> names_of(const Profile& profile) {
  std::vector<std::string> names;
  for (const ProfileModule& module : profile.modules()) names.push_back(module.name);
  return names;
}

/// The trace's events with a name.
std::vector<std::string> events_of(const std::string& trace, const std::string& name) {
  std::vector<std::string> events;
  const std::string begin = "{\"name\":\"" + name + "\"";
  for (std::size_t at = trace.find(begin); at != std::string::npos; at = trace.find(begin, at + 1)) {
    events.push_back(trace.substr(at, trace.find("}}", at) + 2 - at));
  }
  return events;
}

std::int64_t live_bytes() { return detail::pool_stats().live_bytes; }

std::int64_t block_bytes(std::int64_t bytes) {
  return static_cast<std::int64_t>(detail::pool_class_bytes(
      detail::pool_class_of(static_cast<std::size_t>(bytes) + detail::Buffer::alignment)));
}

}  // namespace

TEST_CASE("Profile counts by module, forward and rules, parts included") {
  for (const Dtype dtype : {float32, float64}) {
    Net net;
    net.to(dtype);
    const Profile profile;
    const Tensor y = net(ones({5, 3}, {.dtype = dtype}));
    sum(square(y)).backward();
    CHECK(names_of(profile) == std::vector<std::string>{"Net", "Net.hidden", "Net.head", "(outside)"});

    const ProfileModule all = *module_of(profile, "Net"), hidden = *module_of(profile, "Net.hidden"),
                        head = *module_of(profile, "Net.head"), rest = *module_of(profile, "(outside)");
    CHECK(hidden.type == "Linear");
    CHECK(all.calls == 1);
    CHECK(hidden.calls == 1);
    CHECK(hidden.forward.flops == 2 * 5 * 4 * 3 + 5 * 4);  // product and bias
    CHECK(head.forward.flops == 2 * 5 * 2 * 4 + 5 * 2);
    CHECK(all.forward.flops == hidden.forward.flops + head.forward.flops + 5 * 4);  // and tanh
    CHECK(rest.forward.flops == 10 + 10);                                           // square, sum
    // The input wants no gradient: one product for the weight, and a sum for the bias.
    CHECK(hidden.backward.flops == 2 * 4 * 3 * 5 + 5 * 4);
    CHECK(head.backward.flops == 2 * (2 * 5 * 2 * 4) + 5 * 2);
    CHECK(all.backward.flops == hidden.backward.flops + head.backward.flops + 5 * 4);
    CHECK(rest.backward.flops == 10);

    ProfileCost sum;
    for (const ProfileRow& row : profile.rows()) {
      sum.calls += row.calls;
      sum.bytes += row.bytes;
      sum.flops += row.flops;
    }
    CHECK(sum.calls == all.forward.calls + all.backward.calls + rest.forward.calls + rest.backward.calls);
    CHECK(sum.bytes == all.forward.bytes + all.backward.bytes + rest.forward.bytes + rest.backward.bytes);
    CHECK(sum.flops == all.forward.flops + all.backward.flops + rest.forward.flops + rest.backward.flops);
    const std::string table = profile.table();
    CHECK(table.find("\nmodule  ") != std::string::npos);
    CHECK(table.find("\nNet.hidden  ") != std::string::npos);
  }
}

TEST_CASE("Profile knows modules that run already, that are not listed, and that are of one type") {
  struct Watched : nn::Module {
    nn::Linear listed{2, 2};
    std::vector<std::string> names;
    void members(nn::Members& m) override { m("listed", listed); }
    Tensor forward(const Tensor& x) override {
      const Profile profile;
      Part loose;
      loose.f = [](const Tensor& v) { return v * 2; };
      Tensor y = listed(loose(x));
      names = names_of(profile);
      return y;
    }
  };
  Watched watched;
  const Profile profile;
  static_cast<void>(watched(ones({1, 2})));
  const std::vector<std::string> inside{"Watched", "Watched.(Part)", "Watched.listed"};
  CHECK(watched.names == inside);

  nn::Linear first(2, 2), second(2, 2);
  static_cast<void>(first(ones({1, 2})));
  static_cast<void>(second(ones({1, 2})));
  static_cast<void>(first(ones({1, 2})));
  std::vector<std::string> all = inside;
  all.insert(all.end(), {"Linear", "Linear #2", "(outside)"});
  CHECK(names_of(profile) == all);
  CHECK(module_of(profile, "Linear")->calls == 2);
}

TEST_CASE("without modules a profile's table has operations alone") {
  const Profile profile;
  static_cast<void>(exp(ones({2})));
  CHECK(profile.table().find("module") == std::string::npos);
  CHECK(names_of(profile) == std::vector<std::string>{"(outside)"});
}

TEST_CASE("an error in a forward leaves a profile in order") {
  Holder holder([](const Tensor& x) { return matmul(x, ones({7, 7})); });
  const Profile profile;
  CHECK_THROWS_AS(static_cast<void>(holder(ones({1, 2}))), ShapeError);
  static_cast<void>(exp(ones({2})));
  CHECK(module_of(profile, "Holder.part")->forward.calls == 1);  // ones
  CHECK(module_of(profile, "(outside)")->forward.calls == 3);    // ones twice, exp
}

TEST_CASE("rules of rules belong to the module whose rule recorded them") {
  Holder holder([](const Tensor& x) { return x * x * x; });
  const Tensor x = tensor({2, 3}, {.dtype = float64, .requires_grad = true});
  const Profile profile;
  const Tensor first = grad({sum(holder(x))}, {x}, {.create_graph = true})[0];
  sum(first).backward();
  CHECK(x.grad().at({1}) == 18);
  const std::vector<std::string> rules = events_of(profile.chrome_trace(), "rule of mul");
  CHECK(rules.size() > 2);
  for (const std::string& rule : rules) {
    CHECK(rule.find("\"cat\":\"rule\"") != std::string::npos);
    CHECK(rule.find("\"args\":{\"module\":\"Holder.part\"}}") != std::string::npos);
  }
}

TEST_CASE("the trace has forwards as slices around their operations") {
  Net net;
  const Profile profile;
  static_cast<void>(net(ones({5, 3})));
  const std::string trace = profile.chrome_trace();
  const std::vector<std::string> forwards = events_of(trace, "Net.head");
  REQUIRE(forwards.size() == 1);
  CHECK(forwards[0].find("\"cat\":\"forward\"") != std::string::npos);
  CHECK(forwards[0].find("\"args\":{\"type\":\"Linear\"}}") != std::string::npos);
  const std::vector<std::string> products = events_of(trace, "matmul");
  REQUIRE(products.size() == 2);
  CHECK(products[1].find("\"module\":\"Net.head\",\"flops\":80,\"bytes\":40}}") != std::string::npos);
}

TEST_CASE("a module's held bytes are what its forward leaves in the pool") {
  constexpr std::int64_t n = 1 << 16;
  // tanh keeps its output, exp too; the sums between them go.
  Holder holder([](const Tensor& x) { return tanh(exp(x + 1) + 1); });
  const Tensor x = zeros({n}, {.requires_grad = true});
  const auto held_by_a_call = [&] {
    const std::int64_t before = live_bytes();
    const Tensor y = holder(x);
    return live_bytes() - before;
  };
  held_by_a_call();  // models and modules have numbers now
  const std::int64_t expected = held_by_a_call();
  const Profile profile;
  static_cast<void>(held_by_a_call());
  const std::int64_t held = module_of(profile, "Holder")->held_bytes;
  CHECK(held == expected);
  CHECK(held >= 2 * block_bytes(n * 4));
  CHECK(held < 2 * block_bytes(n * 4) + 4096);
  CHECK(module_of(profile, "Holder.part")->held_bytes < held);  // the holder's own node

  const NoGrad no_grad;
  const Profile again;
  static_cast<void>(held_by_a_call());
  CHECK(module_of(again, "Holder")->held_bytes >= block_bytes(n * 4));
  CHECK(module_of(again, "Holder")->held_bytes < block_bytes(n * 4) + 4096);
}

TEST_CASE("a module's held bytes and its graph's kept bytes agree, with what rules keep for themselves") {
  const Tensor x = zeros({4, 4, 64, 64}, {.requires_grad = true});
  // Its rule keeps an int32 for each element of the result: two arrays of the same size.
  Holder holder([](const Tensor& v) { return max_pool2d(v, {.kernel = 2}); });
  const Profile profile;
  const Tensor y = holder(x);
  const std::int64_t bytes = y.numel() * 4;
  CHECK(graph_of(y).bytes_kept == x.numel() * 4 + 2 * bytes);
  const std::int64_t held = module_of(profile, "Holder")->held_bytes;
  CHECK(held >= 2 * block_bytes(bytes));
  CHECK(held < 2 * block_bytes(bytes) + 4096);
}

TEST_CASE("a module's peak has what a kernel takes and gives back, and profiles nest") {
  // A sort keeps the row that it sorts beside its outputs, an element and its index for each.
  constexpr std::int64_t n = 1 << 16;
  const NoGrad no_grad;
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    Holder holder([](const Tensor& v) { return sort(v).values; });
    const std::int64_t size = dtype == float32 ? 4 : 8;
    const Tensor x = zeros({n}, {.dtype = dtype}), few = zeros({1}, {.dtype = dtype});
    const std::int64_t before = live_bytes();
    const Profile outer;
    {
      const Profile inner;
      static_cast<void>(holder(few));
      CHECK(module_of(inner, "Holder")->forward.peak_bytes - before < 8192);
      static_cast<void>(holder(x));
      const std::int64_t peak = module_of(inner, "Holder")->forward.peak_bytes;
      const std::int64_t outputs = block_bytes(n * size) + block_bytes(n * 8);
      CHECK(peak - before >= outputs + n * 16);
      CHECK(peak - before < outputs + 2 * n * 16);
      CHECK(module_of(outer, "Holder")->forward.peak_bytes == peak);
    }
    static_cast<void>(holder(few));
    CHECK(module_of(outer, "Holder")->calls == 3);
  }
}

TEST_CASE("a module's peak is the most that was in use while its forward, or its rules, ran") {
  constexpr std::int64_t n = 1 << 16;
  const std::int64_t block = block_bytes(n * 4);
  struct Two : nn::Module {
    Part small, large;
    void members(nn::Members& m) override {
      m("small", small);
      m("large", large);
    }
    Tensor forward(const Tensor& x) override { return large(small(x)); }
  };
  Two two;
  two.small.f = [](const Tensor& x) { return sum(x); };
  two.large.f = [](const Tensor& x) {
    const Tensor a = broadcast_to(x, {n});
    const Tensor b = exp(a);
    const Tensor c = b * a;
    return sum(c);
  };
  const Tensor x = full({2}, 0.25, {.requires_grad = true});
  const std::int64_t before = live_bytes();
  const Profile profile;
  const Tensor y = two(x);
  const ProfileModule all = *module_of(profile, "Two"), large = *module_of(profile, "Two.large"),
                      small = *module_of(profile, "Two.small");
  CHECK(large.forward.peak_bytes - before >= 3 * block);
  CHECK(large.forward.peak_bytes - before < 3 * block + 8192);
  CHECK(all.forward.peak_bytes == large.forward.peak_bytes);
  CHECK(small.forward.peak_bytes - before < 8192);
  CHECK(large.backward.peak_bytes == 0);
  // mul's rule reads a and b, so two blocks are held; sum's rule adds its cotangent, mul's two more.
  y.backward();
  const std::int64_t peak = module_of(profile, "Two.large")->backward.peak_bytes - before;
  CHECK(peak >= 4 * block);
  CHECK(peak < 6 * block);
  CHECK(module_of(profile, "Two")->backward.peak_bytes - before == peak);
  CHECK(module_of(profile, "Two.small")->backward.peak_bytes - before < 8192);
}

TEST_CASE("NanGuard names the module, in its forward and in its rules") {
  Holder logarithm([](const Tensor& x) { return log(x); });
  Holder root([](const Tensor& x) { return sqrt(x); });
  const NanGuard guard;
  CHECK(message_of([&] {
          static_cast<void>(logarithm(tensor({1, -4})));
        }) ==
        "part (Part): nan_guard: log gave nan at [1], 1 of 2 elements: input 0 is float32 [2] from -4 to 1");
  const Tensor x = tensor({4, 0}, {.requires_grad = true});
  const Tensor y = sum(root(x));
  CHECK(message_of([&] {
          y.backward();
        }).rfind("part (Part): nan_guard: sqrt.rule0, in the rule of sqrt, gave inf at [1]", 0) == 0);
  // A rule that fails leaves the guard in order: what comes outside is named outside.
  CHECK(message_of([&] {
          static_cast<void>(log(tensor({-1})));
        }).rfind("nan_guard: log gave nan at [0]", 0) == 0);
  CHECK(message_of([&] {
          sum(sqrt(x)).backward();
        }).rfind("nan_guard: sqrt.rule0, in the rule of sqrt, gave inf", 0) == 0);
  // The model itself has no path.
  Part alone;
  alone.f = [](const Tensor& v) { return sqrt(v); };
  const Tensor z = sum(alone(x));
  CHECK(message_of([&] { z.backward(); }).rfind("Part: nan_guard: sqrt.rule0", 0) == 0);
}

TEST_CASE("while somebody watches modules, errors of rules name them") {
  Holder holder([](const Tensor& x) {
    return custom_vjp([](const Tensor& v) { return v * 2; },
                      [](const Tensor&, const Tensor&, const Tensor&) { return ones({3}); }, x);
  });
  const Tensor x = ones({2}, {.requires_grad = true});
  const std::string plain = "custom_vjp: the rule's cotangent of input 0 has shape [3], the input has [2]";
  CHECK(message_of([&] { sum(holder(x)).backward(); }) == plain);
  const Profile profile;
  const NanGuard guard;
  CHECK(message_of([&] { sum(holder(x)).backward(); }) == "part (Part): " + plain);
}

TEST_CASE("a parameter keeps its hooks when it gets a new value or another dtype, and a copy has none") {
  nn::Parameter w(ones({2}));
  int calls = 0;
  on_gradient(w, [&](const Tensor& g) {
    ++calls;
    return g * 2;
  });
  w.set_value(full({2}, 3));
  sum(w * 1.0).backward();
  CHECK(calls == 1);
  CHECK(w.grad().at({0}) == 2);
  w.to(float64);
  sum(w * 1.0).backward();
  CHECK(calls == 2);
  CHECK(w.grad().at({1}) == 2);
  const nn::Parameter copy(w);
  sum(copy * 1.0).backward();
  CHECK(calls == 2);
  CHECK(copy.grad().at({1}) == 1);
}

TEST_CASE("on_accumulated makes an optimizer's step within backward") {
  Net net, twin = net;
  for (const nn::ParameterRef& parameter : net.parameters()) {
    nn::ParameterCell* slot = parameter.get();
    on_accumulated(slot->tensor(), [slot](const Tensor& g) {
      slot->set_value(slot->tensor() - g * 0.1);
      slot->zero_grad();
    });
  }
  const Tensor x = ones({5, 3});
  for (int step = 0; step < 2; ++step) {
    sum(square(net(x))).backward();
    sum(square(twin(x))).backward();
    const NoGrad no_grad;
    for (const nn::ParameterRef& parameter : twin.parameters()) {
      parameter->set_value(parameter->tensor() - parameter->grad() * 0.1);
      parameter->zero_grad();
    }
  }
  for (std::size_t i = 0; i < net.parameters().size(); ++i) {
    const Tensor a = net.parameters()[i]->tensor(), b = twin.parameters()[i]->tensor();
    CHECK(std::ranges::equal(a.data<float>(), b.data<float>()));
    CHECK_FALSE(net.parameters()[i]->grad().defined());
  }
}

TEST_CASE("a picture frames operations without parameters with the module that they ran in") {
  manual_seed(1);
  nn::Sequential net(nn::Linear(3, 4), nn::ReLU(), nn::Dropout({.p = 0.5}), nn::Flatten(), nn::Linear(4, 2));
  Net plain;
  const auto frame_of = [](const std::string& dot, const std::string& module) {
    const std::size_t begin = dot.find("label=\"" + module + "\"; color");
    return begin == std::string::npos ? std::string() : dot.substr(begin, dot.find("  }\n", begin) - begin);
  };
  const auto contains = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  const auto loss_of = [&] { return sum(square(net(ones({5, 3})))); };
  {
    const GraphModules modules;
    const Tensor loss = loss_of();
    const Graph graph = graph_of(loss, modules);
    const std::string dot = to_dot(graph);
    CHECK(contains(frame_of(dot, "0"), "matmul"));
    CHECK(contains(frame_of(dot, "1"), "relu"));
    CHECK_FALSE(frame_of(dot, "2").empty());
    CHECK(contains(frame_of(dot, "4"), "4.weight"));
    // What the program does itself stands outside.
    for (const char* module : {"0", "1", "2", "3", "4"})
      CHECK_FALSE(contains(frame_of(dot, module), "square"));
    for (const GraphNode& node : graph.nodes) {
      if (node.op == "relu") CHECK(node.module == "1");
      if (node.op == "square" || node.op.empty()) CHECK(node.module.empty());
    }
    // Of a model's own forward, too, and of what was computed before.
    const Tensor y = plain(ones({5, 3}));
    for (const GraphNode& node : graph_of(y, modules).nodes) {
      if (node.op == "tanh") CHECK(node.module.empty());
      if (node.op == "matmul") CHECK_FALSE(node.module.empty());
    }
    CHECK(to_dot(graph_of(loss, modules)) == dot);
  }
  // Without it a picture is what it was.
  const Tensor loss = loss_of();
  CHECK(frame_of(to_dot(graph_of(loss)), "1").empty());
  CHECK(contains(frame_of(to_dot(graph_of(loss)), "0"), "matmul"));
  const GraphModules late;
  for (const GraphNode& node : graph_of(loss, late).nodes) CHECK(node.module.empty());
}

TEST_CASE("a picture of a gradient's graph frames rules with the module that they are of") {
  Holder holder(tanh);
  const GraphModules modules;
  const Tensor x = tensor({1, 2}, {.requires_grad = true});
  const Tensor g = grad(sum(holder(x)), x, {.create_graph = true});
  bool found = false;
  for (const GraphNode& node : graph_of(g, modules).nodes) found = found || node.module == "part";
  CHECK(found);
}
