// docs/from_pytorch.md: every expression of its right column stands here, compiled, and gives what it should.
#include <doctest/doctest.h>

#include <cctype>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/jacobians.h"
#include "xtgrad/autograd/observe.h"
#include "xtgrad/autograd/vmap.h"
#include "xtgrad/datasets/combine.h"
#include "xtgrad/datasets/gaussian_noise.h"
#include "xtgrad/datasets/image_folder.h"
#include "xtgrad/datasets/mixup.h"
#include "xtgrad/datasets/random_erasing.h"
#include "xtgrad/datasets/random_rotation.h"
#include "xtgrad/datasets/resize.h"
#include "xtgrad/datasets/samplers.h"
#include "xtgrad/datasets/source.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/optim/lbfgs.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using xtgrad::testing::values;

namespace {

const std::filesystem::path root = XTGRAD_SOURCE_DIR;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A text without its white space: the formatter breaks lines where the page does not.
std::string squeezed(std::string text) {
  std::erase_if(text, [](unsigned char c) { return std::isspace(c) != 0; });
  return text;
}

/// What stands between back quotes in the last column of the page's table.
std::vector<std::string> expressions(const std::string& page) {
  std::vector<std::string> all;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    const std::size_t column = line.rfind(" | `");
    REQUIRE(column != std::string::npos);
    std::istringstream cell(line.substr(column + 3));
    std::string between;
    for (std::string code; std::getline(cell, between, '`') && std::getline(cell, code, '`');)
      all.push_back(code);
  }
  return all;
}

using Numbers = std::vector<double>;

}  // namespace

TEST_CASE("docs/from_pytorch.md: what it says to write is compiled here") {
  const std::string source = squeezed(text_of(root / "tests/docs/from_pytorch_test.cpp"));
  const std::vector<std::string> all = expressions(text_of(root / "docs/from_pytorch.md"));
  CHECK(all.size() > 25);
  for (const std::string& expression : all) {
    CAPTURE(expression);
    CHECK(source.find(squeezed(expression)) != std::string::npos);
  }
}

TEST_CASE("docs/from_pytorch.md: tensors") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  const Tensor w = ones({3, 1});
  std::ostringstream out;
  std::streambuf* const before = std::cout.rdbuf(out.rdbuf());
  std::cout << x.shape() << x.dtype() << x;
  std::cout.rdbuf(before);
  CHECK(out.str().starts_with("[2, 3]float32"));
  CHECK(values(sum(x, {.axes = {1}, .keepdim = true})) == Numbers{6, 15});
  CHECK(values(var(x, {.axes = {1}})) == Numbers{1, 1});
  CHECK(values(stddev(x, {.axes = {1}, .correction = 0}))[0] == doctest::Approx(std::sqrt(2.0 / 3)));
  CHECK(norm(x).item() == doctest::Approx(std::sqrt(91)));
  CHECK(values(norm(x, {.p = 1, .axes = {1}})) == Numbers{6, 15});
  CHECK(values(amax(x, {.axes = {1}})) == Numbers{3, 6});
  CHECK(values(amin(x, {.axes = {1}})) == Numbers{1, 4});
  CHECK(values(prod(x, {.axes = {1}})) == Numbers{6, 120});
  CHECK(values(cumsum(x, {.axis = 1})) == Numbers{1, 3, 6, 4, 9, 15});
  CHECK(values(median(x, 1).values) == Numbers{2, 5});
  CHECK(reshape(x, {-1, 6}).shape() == Shape{1, 6});
  CHECK(values(transpose(x)) == Numbers{1, 4, 2, 5, 3, 6});
  CHECK(unsqueeze(x, 1).shape() == Shape{2, 1, 3});
  CHECK(movedim(x, 0, 1).shape() == Shape{3, 2});
  CHECK(values(flip(x, 0)) == Numbers{4, 5, 6, 1, 2, 3});
  CHECK(values(roll(x, 1, 0)) == Numbers{4, 5, 6, 1, 2, 3});
  CHECK(values(x[0]) == Numbers{1, 2, 3});
  CHECK(values(slice(x, {.axis = 1, .start = 1, .stop = 3})) == Numbers{2, 3, 5, 6});
  const Tensor idx = from_vector(std::vector<std::int64_t>{1, 0, 1});
  const Tensor y = ones({3, 3});
  CHECK(values(x[idx]) == Numbers{4, 5, 6, 1, 2, 3, 4, 5, 6});
  CHECK(values(index_select(x, 0, idx)) == Numbers{4, 5, 6, 1, 2, 3, 4, 5, 6});
  CHECK(values(index_add(x, 0, idx, y)) == Numbers{2, 3, 4, 6, 7, 8});
  CHECK(x.at({0, 1}) == 2);
  CHECK(concat({x, x}, 1).shape() == Shape{2, 6});
  CHECK(values(matmul(x, w)) == Numbers{6, 15});
  const Tensor mask = x > 2;
  const Tensor other = x < 5;
  CHECK(values(mask & other) == Numbers{0, 0, 1, 1, 0, 0});
  CHECK(values(!mask) == Numbers{1, 1, 0, 0, 0, 0});
  CHECK(values(any(mask, {.axes = {1}})) == Numbers{1, 1});
  CHECK(values(x[mask]) == Numbers{3, 4, 5, 6});
  CHECK(values(masked_fill(x, mask, 0)) == Numbers{1, 2, 0, 0, 0, 0});
  CHECK(randn_like(x).shape() == x.shape());
  const Tensor m = zeros({}), s = ones({});
  CHECK(values(distributions::Normal({.loc = m, .scale = s}).log_prob(x))[0] ==
        doctest::Approx(-0.5 - 0.5 * std::log(2 * 3.141592653589793)));
  CHECK(randint(0, 9, {2}).dtype() == int64);
  CHECK(values(log1p(x))[0] == doctest::Approx(0.6931472));
  CHECK(values(expm1(x))[0] == doctest::Approx(1.7182818));
  CHECK(values(log_sigmoid(x))[0] == doctest::Approx(-0.3132617));
  CHECK(nn::LogSigmoid()(x).shape() == x.shape());
}

TEST_CASE("docs/from_pytorch.md: matrices, parts and special functions") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  const Tensor u = x[0], v = x[1];
  CHECK(values(einsum("ij,kj->ik", {x, x})) == Numbers{14, 32, 32, 77});
  CHECK(values(outer(u, v)) == Numbers{4, 5, 6, 8, 10, 12, 12, 15, 18});
  const Tensor a = tensor({{4, 2}, {2, 3}}), b = tensor({{2}, {1}});
  CHECK(values(matmul(a, solve(a, b)))[0] == doctest::Approx(2));
  CHECK(values(cholesky(a))[0] == doctest::Approx(2));
  CHECK(slogdet(a).logabs.item() == doctest::Approx(std::log(8)));
  CHECK(sum(eigh(a).values).item() == doctest::Approx(7));
  CHECK(prod(svdvals(a)).item() == doctest::Approx(8));
  CHECK(values(inverse(a))[0] == doctest::Approx(3.0 / 8));
  const Tensor y = zeros({1, 3});
  CHECK(values(slice_scatter(x, {.start = 1}, y)) == Numbers{1, 2, 3, 0, 0, 0});
  CHECK(values(erfcx(x))[0] == doctest::Approx(0.427583576));
  CHECK(values(lgamma(x))[2] == doctest::Approx(std::log(2)));
  CHECK(values(xlogy(x, x))[1] == doctest::Approx(2 * std::log(2)));
}

TEST_CASE("docs/from_pytorch.md: norms, tables, lists and losses") {
  CHECK(nn::LayerNorm({.normalized_shape = {16}}).weight.shape() == Shape{16});
  CHECK(nn::GroupNorm({.num_groups = 4, .num_channels = 16}).weight.shape() == Shape{16});
  const auto words = nn::Embedding({.num_embeddings = 1000, .embedding_dim = 16, .padding_idx = 0});
  CHECK(words.weight.shape() == Shape{1000, 16});
  const auto up = nn::ConvTranspose2d({.in_channels = 16, .out_channels = 8, .kernel = 2, .stride = 2});
  CHECK(up.weight.shape() == Shape{16, 8, 2, 2});
  auto average = nn::AdaptiveAvgPool2d({.output = 1});
  CHECK(average(ones({1, 16, 5, 4})).shape() == Shape{1, 16, 1, 1});
  auto signal = nn::Conv1d({.in_channels = 4, .out_channels = 8, .kernel = 3});
  CHECK(signal(ones({2, 4, 9})).shape() == Shape{2, 8, 7});
  auto larger = nn::Upsample({.scale = {2}});
  CHECK(larger(ones({1, 1, 3, 4})).shape() == Shape{1, 1, 6, 8});
  auto memory = nn::LSTM({.input_size = 8, .hidden_size = 16, .batch_first = true});
  CHECK(memory(ones({2, 5, 8})).output.shape() == Shape{2, 5, 16});
  auto attention = nn::MultiheadAttention({.embed_dim = 16, .num_heads = 4});
  const Tensor words_in_order = ones({2, 5, 16});
  CHECK(attention(words_in_order, words_in_order, words_in_order).output.shape() == Shape{2, 5, 16});
  auto encoder = nn::TransformerEncoderLayer({.d_model = 16, .nhead = 4});
  CHECK(encoder(words_in_order).shape() == Shape{2, 5, 16});
  auto bounded = nn::SpectralNorm(nn::Linear(3, 4));
  CHECK(bounded(ones({2, 3})).shape() == Shape{2, 4});
  CHECK(nn::ModuleList(nn::Linear(3, 3), nn::Tanh()).size() == 2);

  const Tensor x = tensor({{0.5, -1, 2}, {0, 1, 4}});
  const Tensor y = tensor({{1, 0, 1}, {0, 0, 1}});
  const Tensor p = softmax(x, 1);
  const Tensor labels = tensor({2, 1}, {.dtype = int64});
  CHECK(values(sum(nn::layer_norm(x, {3}), {.axes = {1}}))[0] == doctest::Approx(0));
  CHECK(values(nn::l1_loss(x, y))[0] == doctest::Approx((0.5 + 1 + 1 + 0 + 1 + 3) / 6));
  CHECK(values(nn::smooth_l1_loss(x, y, {.beta = 0.5}))[0] ==
        doctest::Approx((0.25 + 0.75 + 0.75 + 0 + 0.75 + 2.75) / 6));
  CHECK(values(nn::huber_loss(x, y))[0] == doctest::Approx((0.125 + 0.5 + 0.5 + 0 + 0.5 + 2.5) / 6));
  CHECK(values(nn::bce(sigmoid(x), y))[0] == doctest::Approx(values(nn::bce_with_logits(x, y))[0]));
  CHECK(nn::bce(p, y).item() > 0);
  CHECK(values(nn::nll_loss(log_softmax(x, 1), labels))[0] ==
        doctest::Approx(values(nn::cross_entropy(x, labels))[0]));
  CHECK(std::abs(nn::kl_div(log_softmax(x, 1), p, {.reduction = nn::KlDivReduction::batchmean}).item()) <
        1e-6);
  CHECK(values(nn::hinge_loss(x, labels))[0] == doctest::Approx((0 + 4) / 3.0 / 2));
  const Tensor a = tensor({{1, 0}}), b = tensor({{0, 1}}), c = tensor({{-1, 0}});
  CHECK(values(nn::triplet_margin_loss(a, b, c, {.reduction = nn::Reduction::sum}))[0] ==
        doctest::Approx(std::sqrt(2.0) - 2 + 1));
  CHECK(values(nn::cosine_similarity(a, b)) == Numbers{0});
}

TEST_CASE("docs/from_pytorch.md: an optimizer that evaluates the loss") {
  nn::Linear model(2, 1);
  const Tensor x = tensor({{1, 2}, {3, 4}}), y = tensor({{1}, {0}});
  optim::LBFGS lbfgs(model.parameters(), {.line_search = optim::LineSearch::strong_wolfe});
  CHECK(lbfgs.step([&] { return nn::mse_loss(model(x), y); }).evaluations > 2);
  CHECK(nn::mse_loss(model(x), y).item() < 1e-3);
}

TEST_CASE("docs/from_pytorch.md: derivatives and modules") {
  const Tensor x = tensor({1, 2}, {.requires_grad = true});
  const Tensor y = sum(square(x));
  CHECK(values(grad(y, x, {.create_graph = true})) == Numbers{2, 4});
  {
    const nn::Linear model(2, 1);
    const std::vector<Tensor> zero = grad(y, model.parameters(), {.materialize_grads = true});
    CHECK(values(reshape(zero.at(0), {2})) == Numbers{0, 0});
  }
  {
    const NoGrad no_grad;
    CHECK_FALSE((x * 2).requires_grad());
  }
  on_gradient(x, [](const Tensor& g) { return 2 * g; });
  sum(x).backward();
  CHECK(values(x.grad()) == Numbers{2, 2});
  {
    const NanGuard guard;
    CHECK_THROWS_AS(static_cast<void>(log(x - 2)), NonFiniteError);
  }
  CHECK(nn::Linear(3, 4).weight.shape() == Shape{4, 3});
  const auto conv = nn::Conv2d({.in_channels = 3, .out_channels = 16, .kernel = 3, .padding = 1});
  CHECK(conv.weight.shape() == Shape{16, 3, 3, 3});
  auto model = nn::Sequential(nn::BatchNorm2d({.num_features = 16}), nn::MaxPool2d({.kernel = 2}),
                              nn::Dropout({.p = 0.2}));
  model.eval();
  CHECK(model(ones({1, 16, 4, 4})).shape() == Shape{1, 16, 2, 2});
  model.train();
  CHECK(optim::Adam(model.parameters(), {.lr = 1e-3}).lr() == 1e-3);
  CHECK(optim::RMSProp(model.parameters(), {.momentum = 0.9}).lr() == 1e-2);
  CHECK(optim::NAdam(model.parameters()).lr() == 2e-3);
  optim::Adam adam(model.parameters());
  CHECK(optim::ScheduledLr(adam, optim::step_decay({.step_size = 30})).rates(30)[0] == doctest::Approx(1e-4));
  CHECK(optim::ScheduledLr(adam, optim::one_cycle({.steps = 1000})).rates(0)[0] == doctest::Approx(4e-5));
  CHECK(optim::one_cycle_momentum({.steps = 1000}, 0) == 0.95);
  optim::ReduceOnPlateau plateau({.patience = 3});
  CHECK_FALSE(plateau.update(adam, 0.5));
  optim::WeightAverage average(model.parameters());
  average.update();
  CHECK(average.updates() == 1);
  {
    const nn::BatchNormUpdate update(model);
    static_cast<void>(model(ones({2, 16, 4, 4})));
  }
  const auto before = std::filesystem::current_path();
  const xtgrad::testing::TemporaryFolder folder;
  std::filesystem::current_path(folder.path());
  nn::save("model.safetensors", model.state_dict());
  CHECK(std::filesystem::remove("model.safetensors"));
  std::filesystem::current_path(before);
  const int threads = num_threads();
  manual_seed(0);
  seed_this_thread(3);
  set_num_threads(2);
  CHECK(num_threads() == 2);
  set_num_threads(threads);
  CHECK(!cpu_capability().empty());
}

TEST_CASE("docs/from_pytorch.md: functions of functions") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}), v = tensor({1, 2, 3});
  const auto f = [](const Tensor& one) { return sum(one * one * one); };
  CHECK(values(vmap(f)(x)) == Numbers{36, 405});
  const auto both = value_and_grad(f)(v);
  CHECK(both.value.item() == 36);
  CHECK(values(jacobian(f, v)) == Numbers{3, 12, 27});
  CHECK(values(jacobian(f, v, {.mode = JacobianMode::forward})) == Numbers{3, 12, 27});
  CHECK(values(hessian(f, v)) == Numbers{6, 0, 0, 0, 12, 0, 0, 0, 18});
  CHECK(values(jvp(f, v, v)) == Numbers{108});
}

TEST_CASE("docs/from_pytorch.md: the names of NumPy and SciPy") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}), y = zeros({1, 3});
  const Tensor u = x[0], v = x[1], p = tensor({0.5});
  const Tensor idx = tensor({1, 0}, {.dtype = int64}), k = tensor({{2, 0}, {1, 1}}, {.dtype = int64});
  const Tensor m = x > 2, a = tensor({{4, 0}, {0, 3}});
  CHECK(unsqueeze(x, 1).shape() == Shape{2, 1, 3});
  CHECK(movedim(x, 0, 1).shape() == Shape{3, 2});
  CHECK(values(transpose(x, 0, 1)) == values(permute(x, {1, 0})));
  CHECK(concat({x, x}).shape() == Shape{4, 3});
  CHECK(values(repeat_interleave(x, 2, 0)) == Numbers{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
  CHECK(values(tile(x, {2, 1})) == Numbers{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6});
  CHECK(stddev(x, {.correction = 0}).item() == doctest::Approx(std::sqrt(35.0 / 12)));
  CHECK(values(var(x, {.axes = {1}, .correction = 0}))[1] == doctest::Approx(2.0 / 3));
  CHECK(values(amax(x, {.axes = {1}})) == Numbers{3, 6});
  CHECK(amin(x).item() == 1);
  CHECK((amax(x) - amin(x)).item() == 5);
  CHECK(values(clamp(x, {.min = 2, .max = 5})) == Numbers{2, 2, 3, 4, 5, 5});
  CHECK(values(sort(x).indices) == Numbers{0, 1, 2, 0, 1, 2});
  CHECK(values(sort(x).values) == values(x));
  CHECK(values(take(x, idx)) == Numbers{2, 1});
  CHECK(values(index_select(x, 0, idx)) == Numbers{4, 5, 6, 1, 2, 3});
  CHECK(values(take_along_axis(x, 1, k)) == Numbers{3, 1, 5, 5});
  CHECK(pad(x, {.axis = 1, .low = 1, .high = 2}).shape() == Shape{2, 6});
  CHECK(values(slice(v, {.start = 1}) - slice(v, {.stop = -1})) == Numbers{1, 1});
  CHECK(asin(p).item() == doctest::Approx(std::asin(0.5)));
  CHECK(values(atan2(u, v))[0] == doctest::Approx(std::atan2(1, 4)));
  CHECK(values(abs(x)) == values(x));
  CHECK(values(remainder(x, 2)) == Numbers{1, 0, 1, 0, 1, 0});
  CHECK(values(inverse(a))[0] == doctest::Approx(0.25));
  CHECK(matrix_norm(a, MatrixNorm::nuclear).item() == doctest::Approx(7));
  CHECK(values(matrix_exp(a))[0] == doctest::Approx(std::exp(4)));
  CHECK(values(lgamma(x))[2] == doctest::Approx(std::log(2)));
  CHECK(values(normal_cdf(x))[0] == doctest::Approx(0.8413447));
  CHECK(values(where(m, x, 0)) == Numbers{0, 0, 3, 4, 5, 6});
  CHECK(values(slice_scatter(x, {.start = 1}, y)) == Numbers{1, 2, 3, 0, 0, 0});
  CHECK(values(segment_sum(x, idx, 2)) == Numbers{4, 5, 6, 1, 2, 3});
  CHECK(values(one_hot(idx, 3)) == Numbers{0, 1, 0, 1, 0, 0});
}

TEST_CASE("docs/from_pytorch.md: JAX's functions of functions, and keys") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}), v = tensor({1, 2, 3});
  const auto f = [](const Tensor& one) { return sum(one * one * one); };
  CHECK_FALSE(x.detach().requires_grad());
  CHECK(values(value_and_grad(f)(v).gradients[0]) == Numbers{3, 12, 27});
  CHECK(values(vmap(f)(x)) == Numbers{36, 405});
  auto captured = capture(f, v);
  CHECK(captured(v).item() == 36);
  CHECK(values(jvp(f, v, v)) == Numbers{108});
  const auto pullback = vjp(f, v);
  CHECK(values(pullback(ones({}))) == Numbers{3, 12, 27});
  auto linear = linearize(f, v);
  CHECK(values(linear(v)) == Numbers{108});
  CHECK(checkpoint(f, v).item() == 36);
  Random key(0);
  const Random other = key.split();
  CHECK(other.seed() != key.seed());
  CHECK(randn({2}, key).shape() == Shape{2});
}

TEST_CASE("docs/from_pytorch.md: names with another meaning than in PyTorch") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}), v = tensor({1, 2, 3});
  CHECK(values(median(x).values) == Numbers{2, 5});
  CHECK(equal(x, x).shape() == x.shape());
  CHECK(repeat_interleave(x, 2).shape() == Shape{4, 3});
  CHECK(values(vander(v)) == Numbers{1, 1, 1, 1, 2, 4, 1, 3, 9});
  CHECK(histc(x).dtype() == int64);
  CHECK(one_hot(tensor({1}, {.dtype = int64}), 2).dtype() == default_dtype());
  CHECK(where(x > 2, 1, 0).dtype() == default_dtype());
  CHECK(diagonal(ones({4, 2, 3})).shape() == Shape{4, 2});
  CHECK(trace(ones({4, 2, 3})).shape() == Shape{4});
  CHECK(transpose(ones({4, 2, 3})).shape() == Shape{4, 3, 2});
  CHECK(norm(x, {.p = 1}).item() == 21);
  CHECK(matrix_norm(x, MatrixNorm::one).item() == 9);
  CHECK(cross(ones({3, 3}), ones({3, 3})).shape() == Shape{3, 3});
  const Tensor p = uniform({2, 3});
  CHECK(bernoulli({2, 3}, 0.5).dtype() == boolean);
  CHECK((rand_like(p) < p).dtype() == boolean);
}

TEST_CASE("docs/from_pytorch.md: data") {
  const datasets::Dataset data = datasets::iris();
  const auto loader = datasets::Loader(data, {.batch_size = 32, .shuffle = true, .workers = 2});
  CHECK(loader.batches() == 5);
  struct Squares : datasets::SampleSource {
    std::int64_t size() const override { return 3; }
    datasets::Sample get(std::int64_t i) const override { return {full({}, i * i, {.dtype = int64})}; }
  };
  CHECK(datasets::Loader(std::make_shared<Squares>()).begin()->inputs.at_int64({2}) == 4);
  CHECK_THROWS_AS(datasets::ImageFolder(root, {.size = 32}), IoError);
  const Tensor w = ones({150});
  CHECK(datasets::weighted_sampler(w, {.draws = 100}).draws() == 100);
  CHECK(datasets::random_split(data, {.test = 0.2}).test.size() == 30);
  const auto a = datasets::as_source(data), b = a;
  CHECK(datasets::concat({a, b})->size() == 300);
  CHECK(datasets::subset(a, {0, 2})->size() == 2);
  const Shape image{3, 50, 40};
  CHECK(datasets::random_resized_crop({.size = 32}).output_shape(image) == Shape{3, 32, 32});
  CHECK(datasets::random_rotation({.degrees = {-10, 10}}).output_shape(image) == image);
  CHECK(datasets::random_erasing().output_shape(image) == image);
  CHECK(datasets::gaussian_noise().output_shape(image) == image);
  datasets::Batch batch{.inputs = ones({2, 3}), .labels = tensor({0, 9}, {.dtype = int64})};
  Random random(1);
  datasets::mixup({.classes = 10})(batch, random);
  CHECK(batch.labels.shape() == Shape{2, 10});
}
