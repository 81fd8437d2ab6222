// A recurrent network with diagonal weights that predicts the next character, and its gradient.

#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/by_hand/objectives.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

/// Layers of 14 cells each, of which none reads another's of its layer: registers of cells go through all
/// characters on their own, and meet in the loss alone.
template <std::size_t layers>
class Lstm final : public Workload {
 public:
  explicit Lstm(std::int64_t characters)
      : steps_(static_cast<std::size_t>(characters - 1)),
        sequence_(padded(characters)),
        state_(padded(2 * layers)),
        main_(padded(8 * layers)),
        extra_(padded(3)),
        dmain_(main_.size()),
        dextra_(extra_.size()),
        kept_(steps_ * layers * count * width),
        y_(steps_ * width),
        golden_(steps_),
        whole_(steps_, 1.0F) {
    fill(sequence_,
         [bits = integers(1, characters * cells, 2)](std::size_t i) { return static_cast<float>(bits[i]); });
    const auto stream = [](std::uint64_t k, std::size_t rows) {
      return [all = numbers(k, static_cast<std::int64_t>(rows) * cells)](std::size_t i) { return all[i]; };
    };
    fill(state_, stream(2, 2 * layers));
    fill(main_, stream(3, 8 * layers));
    fill(extra_, stream(4, 3));
  }

  void step() override {
    for (std::size_t v = 0; v < width; v += Lane::width) forward(v);
    result_ = loss();
    for (std::size_t v = 0; v < width; v += Lane::width) back(v);
  }

  std::vector<Values> outputs() override { return {{result_}, unpadded(dmain_), unpadded(dextra_)}; }

 private:
  static constexpr std::int64_t cells = 14;
  static constexpr std::size_t width = (cells + Lane::width - 1) / Lane::width * Lane::width;
  enum Gate : std::size_t { forget, ingate, outgate, change, cell, cell_tanh, hidden, count };

  static Values padded(std::int64_t rows) { return Values(static_cast<std::size_t>(rows) * width); }
  template <class F>
  static void fill(Values& to, const F& value) {
    for (std::size_t i = 0; i < to.size() / width * cells; ++i) to[i / cells * width + i % cells] = value(i);
  }
  static Values unpadded(const Values& from) {
    Values all;
    for (std::size_t i = 0; i < from.size(); ++i)
      if (i % width < cells) all.push_back(from[i]);
    return all;
  }

  static Lane row(const Values& of, std::size_t k, std::size_t v) {
    return Lane::load(of.data() + k * width + v);
  }
  [[nodiscard]] Lane weight(std::size_t layer, Gate gate, std::size_t v) const {
    return row(main_, 8 * layer + gate, v);
  }
  [[nodiscard]] Lane bias(std::size_t layer, Gate gate, std::size_t v) const {
    return row(main_, 8 * layer + 4 + gate, v);
  }
  float* kept(std::size_t t, std::size_t layer, std::size_t v) {
    return kept_.data() + (t * layers + layer) * count * width + v;
  }
  Lane at(std::size_t t, std::size_t layer, Gate what, std::size_t v) {
    return Lane::load(kept(t, layer, v) + what * width);
  }

  void forward(std::size_t v) {
    Lane h[layers], c[layers];
    for (std::size_t k = 0; k < layers; ++k) {
      h[k] = row(state_, 2 * k, v);
      c[k] = row(state_, 2 * k + 1, v);
    }
    for (std::size_t t = 0; t < steps_; ++t) {
      Lane x = row(sequence_, t, v) * row(extra_, 0, v);
      for (std::size_t k = 0; k < layers; ++k) {
        const auto pre = [&](Gate gate, Lane of) { return fma(of, weight(k, gate, v), bias(k, gate, v)); };
        const Lane f = sigmoid(pre(forget, x)), o = sigmoid(pre(outgate, x));
        const Lane i = sigmoid(pre(ingate, h[k])), g = tanh(pre(change, h[k]));
        c[k] = fma(c[k], f, i * g);
        const Lane squashed = tanh(c[k]);
        x = h[k] = o * squashed;
        const Lane all[] = {f, i, o, g, c[k], squashed, h[k]};
        float* to = kept(t, k, v);
        for (std::size_t gate = 0; gate < count; ++gate) all[gate].store(to + gate * width);
      }
      fma(x, row(extra_, 1, v), row(extra_, 2, v)).store(y_.data() + t * width + v);
    }
  }

  /// The cross entropy as published, over the logarithm of 2 + the sum of e^y; y becomes its derivative.
  float loss() {
    const float share = 1 / static_cast<float>(steps_ * cells);
    Lane sum(0.0F);
    for (std::size_t t = 0; t < steps_; ++t) {
      float* y = y_.data() + t * width;
      Lane dot(0.0F), gold(0.0F), all(0.0F);
      float e[width];
      for (std::size_t v = 0; v < width; v += Lane::width) {
        const Lane wanted = row(sequence_, t + 1, v), score = Lane::load(y + v);
        const Lane power = where(places(v) < static_cast<float>(cells), exp(score), 0);
        power.store(e + v);
        dot += wanted * score;
        gold += wanted;
        all += power;
      }
      const float whole = 2 + sum_of(all), golden = sum_of(gold);
      sum += dot;
      golden_[t] = golden;
      whole_[t] = whole;
      for (std::size_t v = 0; v < width; v += Lane::width)
        ((Lane::load(e + v) * (golden / whole) - row(sequence_, t + 1, v)) * share).store(y + v);
    }
    const Lane logs = total_lanes(
        static_cast<std::int64_t>(steps_), [](Lane gold, Lane whole) { return gold * log(whole); },
        golden_.data(), whole_.data());
    return sum_of(logs - sum) * share;
  }

  static Lane places(std::size_t first) {
    float place[Lane::width];
    for (std::size_t c = 0; c < Lane::width; ++c) place[c] = static_cast<float>(first + c);
    return Lane::load(place);
  }

  struct Layer {
    Lane dh, dc;                // what comes back from the next character
    Lane dweight[4], dbias[4];  // by gate
    Lane w[4];
  };

  void back(std::size_t v) {
    Layer all[layers];
    for (std::size_t k = 0; k < layers; ++k) {
      all[k].dh = all[k].dc = Lane(0.0F);
      for (std::size_t gate = 0; gate < 4; ++gate) {
        all[k].dweight[gate] = all[k].dbias[gate] = Lane(0.0F);
        all[k].w[gate] = weight(k, static_cast<Gate>(gate), v);
      }
    }
    Lane din(0.0F), dout(0.0F), doutbias(0.0F);
    const Lane in = row(extra_, 0, v), out = row(extra_, 1, v);
    for (std::size_t t = steps_; t-- > 0;) {
      const Lane dy = Lane::load(y_.data() + t * width + v);
      dout = fma(dy, at(t, layers - 1, hidden, v), dout);
      doutbias += dy;
      Lane dx = dy * out;
      for (std::size_t k = layers; k-- > 0;) {
        const Lane x = k == 0 ? row(sequence_, t, v) * in : at(t, k - 1, hidden, v);
        dx = back_layer(all[k], t, k, v, x, dx);
      }
      din = fma(dx, row(sequence_, t, v), din);
    }
    for (std::size_t k = 0; k < layers; ++k) {
      for (std::size_t gate = 0; gate < 4; ++gate) {
        all[k].dweight[gate].store(dmain_.data() + (8 * k + gate) * width + v);
        all[k].dbias[gate].store(dmain_.data() + (8 * k + 4 + gate) * width + v);
      }
    }
    din.store(dextra_.data() + v);
    dout.store(dextra_.data() + width + v);
    doutbias.store(dextra_.data() + 2 * width + v);
  }

  /// The cotangent of the layer's input, of that of its output.
  Lane back_layer(Layer& layer, std::size_t t, std::size_t k, std::size_t v, Lane x, Lane above) {
    const Lane f = at(t, k, forget, v), i = at(t, k, ingate, v), o = at(t, k, outgate, v);
    const Lane g = at(t, k, change, v), squashed = at(t, k, cell_tanh, v);
    const Lane before = t == 0 ? row(state_, 2 * k + 1, v) : at(t - 1, k, cell, v);
    const Lane h = t == 0 ? row(state_, 2 * k, v) : at(t - 1, k, hidden, v);
    const Lane dh = layer.dh + above;
    const Lane dc = fma(dh * o, (1 - squashed) * (1 + squashed), layer.dc);
    const Lane dz[] = {dc * before * (f * (1 - f)), dc * g * (i * (1 - i)), dh * squashed * (o * (1 - o)),
                       dc * i * ((1 - g) * (1 + g))};
    for (std::size_t gate = 0; gate < 4; ++gate) {
      layer.dweight[gate] = fma(dz[gate], gate % 2 == 0 ? x : h, layer.dweight[gate]);
      layer.dbias[gate] += dz[gate];
    }
    layer.dc = dc * f;
    layer.dh = fma(dz[ingate], layer.w[ingate], dz[change] * layer.w[change]);
    return fma(dz[forget], layer.w[forget], dz[outgate] * layer.w[outgate]);
  }

  std::size_t steps_;
  Values sequence_, state_;               // rows of cells, padded to whole registers
  Values main_, extra_, dmain_, dextra_;  // four gates' weights and biases by layer; in, out, out's bias
  Values kept_, y_;
  Values golden_, whole_;  // by character: the wanted bits' number, and the loss's sum of exponentials
  float result_ = 0;
};

}  // namespace

void add_lstm(Families& kinds) {
  kinds["lstm"] = [](const Name& name, float) -> std::unique_ptr<Workload> {
    if (name.numbers().at(0) != 2) return nullptr;
    return std::make_unique<Lstm<2>>(name.numbers().at(1));
  };
}

}  // namespace bench
