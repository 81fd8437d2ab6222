// Trains a small conv net on scanned digits and writes it, weights and all, as one file of C++ that needs
// nothing of xtgrad: examples/emitted compiles and runs it.
//
//   build/release/examples/emit_digits examples/emitted/digits_conv_net.cpp
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <fstream>

#include <xtgrad/autograd/emit_cpp.h>
#include <xtgrad/nn/capture.h>
#include <xtgrad/xtgrad.h>

using namespace xtgrad;

namespace {

int write_net(const char* path) {
  manual_seed(0);
  const datasets::Dataset training = datasets::unit_range(datasets::digits(), {.high = 16});
  nn::ConvNet model{{.image = 8, .channels = {8, 16}, .hidden = {32}}};
  optim::Adam adam(model.parameters(), {.lr = 2e-3});
  datasets::Loader loader(training, {.batch_size = 32, .shuffle = true});
  for (int epoch = 0; epoch < 40; ++epoch) {
    for (const auto& [x, y] : loader) {
      adam.zero_grad();
      nn::cross_entropy(model(reshape(x, {-1, 1, 8, 8})), y).backward();
      adam.step();
    }
  }
  model.eval();
  const Tensor all = model(reshape(training.inputs(), {-1, 1, 8, 8}));
  const Tensor right = mean((argmax(all, 1) == training.labels().to(int64)).to(float32));
  std::printf("%.1f%% of the digits are read as what they are\n", 100 * right.item());
  const Tensor image = zeros({1, 1, 8, 8});
  const auto scores = capture([&](const Tensor& x) { return model(x).detach(); }, {image}, {&model});
  std::ofstream file(path);
  file << emit_cpp(scores.program(), {.name = "digits", .state = scores.state()});
  if (!file.flush()) throw Error(fmt::format("cannot write {}", path));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: emit_digits FILE\n", stderr);
    return 2;
  }
  try {
    return write_net(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "emit_digits: %s\n", error.what());
    return 1;
  }
}
