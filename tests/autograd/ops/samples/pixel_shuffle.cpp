// Samples of channels as pixels.
#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/image_sampling.h"

namespace xtgrad::inline v1::testing { namespace {

/// Where the pixel at `place` of a shuffled image comes from.
Index unshuffled(Index place, std::int64_t r) {
  const std::size_t rank = place.size();
  std::int64_t &c = place[rank - 3], &h = place[rank - 2], &w = place[rank - 1];
  c = (c * r + h % r) * r + w % r;
  h /= r;
  w /= r;
  return place;
}

struct Case {
  Shape channels, pixels;
  std::int64_t factor;
};

std::vector<Case> cases() {
  return {{{1, 4, 2, 1}, {1, 1, 4, 2}, 2}, {{2, 8, 1, 2}, {2, 2, 2, 4}, 2},
          {{9, 1, 2}, {1, 3, 6}, 3},       {{2, 1, 4, 1, 1}, {2, 1, 1, 2, 2}, 2},
          {{2, 2, 1}, {2, 2, 1}, 1},       {{0, 4, 1, 1}, {0, 1, 2, 2}, 2}};
}

std::string describe(const Case& c) { return to_string(c.channels) + ", factor " + std::to_string(c.factor); }

const OpSamples pixel_shuffle_samples(OpId::pixel_shuffle, [](Op& op) {
  op.accepts = Accepts::everything;
  for (const Case& c : cases()) {
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = c.channels}},
               .apply = [c](const Tensor& x) { return pixel_shuffle(x, c.factor); },
               .reference =
                   [c](std::span<const Values> in) {
                     return fill(c.pixels,
                                 [&](const Index& at) { return in[0].at(unshuffled(at, c.factor)); });
                   },
               .linear_in = {0}});
  }
  op.throws<ShapeError>("the factor's square must divide the channels: x is [1, 6, 2, 2], factor 2", [] {
    return pixel_shuffle(ones({1, 6, 2, 2}), 2);
  });
  op.throws<ShapeError>("x needs at least 3 dimensions [..., c, h, w]: x is [4, 2]", [] {
    return pixel_shuffle(ones({4, 2}), 2);
  });
  op.throws<ValueError>("the factor must be from 1 to 32768, got 0", [] {
    return pixel_shuffle(ones({4, 2, 2}), 0);
  });
});

const OpSamples pixel_unshuffle_samples(OpId::pixel_unshuffle, [](Op& op) {
  op.accepts = Accepts::everything;
  for (const Case& c : cases()) {
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = c.pixels}},
               .apply = [c](const Tensor& x) { return pixel_unshuffle(x, c.factor); },
               .reference =
                   [c](std::span<const Values> in) {
                     Values out = fill(c.channels, [](const Index&) { return Real(0); });
                     for_each_index(
                         c.pixels, [&](const Index& at) { out.at(unshuffled(at, c.factor)) = in[0].at(at); });
                     return out;
                   },
               .linear_in = {0}});
  }
  op.throws<ShapeError>("the factor must divide height and width: x is [1, 1, 4, 3], factor 2", [] {
    return pixel_unshuffle(ones({1, 1, 4, 3}), 2);
  });
});

}}  // namespace xtgrad::testing
