// A recurrent network with gates.

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/by_hand/product.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

/// Gates r and z, a candidate, h = (1 - z) candidate + z h, 32 numbers. What does not wait for the last step
/// is one product over all of them.
class Gru final : public Workload {
 public:
  Gru(std::int64_t batch, std::int64_t steps)
      : batch_(batch),
        steps_(steps),
        x_(numbers(1, steps * batch * n)),
        h_(static_cast<std::size_t>((steps + 1) * batch * n)),
        dh_(static_cast<std::size_t>(batch * n)),
        from_x_(static_cast<std::size_t>(steps * batch * 3 * n)),
        from_h_(from_x_.size()),
        dfrom_x_(from_x_.size()),
        dfrom_h_(from_x_.size()) {}

  void step() override {
    product(CblasNoTrans, CblasTrans, steps_ * batch_, 3 * n, n, x_.data(), w_.data(), from_x_.data());
    for (std::int64_t t = 0; t < steps_; ++t) forward(t);
    const std::int64_t state = batch_ * n;
    const float* last = h_.data() + steps_ * state;
    const float share = 1 / static_cast<float>(state);
    loss_ = share * total(
                        state, [](Lane h) { return h * h; }, last);
    map(
        state, dh_.data(), [share](Lane h) { return 2 * share * h; }, last);
    for (std::int64_t t = steps_; t-- > 0;) back(t);
    const std::int64_t rows = steps_ * batch_;
    product(CblasTrans, CblasNoTrans, 3 * n, n, rows, dfrom_x_.data(), x_.data(), dw_.data());
    product(CblasTrans, CblasNoTrans, 3 * n, n, rows, dfrom_h_.data(), h_.data(), du_.data());
    sum_rows(rows, 3 * n, dfrom_x_.data(), db_.data());
    sum_rows(rows, 3 * n, dfrom_h_.data(), dc_.data());
  }
  std::vector<Values> outputs() override { return {{loss_}, dw_, du_, db_, dc_}; }

 private:
  static constexpr std::int64_t n = 32;

  /// Both parts of what the gates are of; from_x becomes r, z and the candidate.
  void forward(std::int64_t t) {
    const float* h = h_.data() + t * batch_ * n;
    float* next = h_.data() + (t + 1) * batch_ * n;
    float* x_part = from_x_.data() + t * batch_ * 3 * n;
    float* h_part = from_h_.data() + t * batch_ * 3 * n;
    product(CblasNoTrans, CblasTrans, batch_, 3 * n, n, h, u_.data(), h_part);
    for (std::int64_t row = 0; row < batch_; ++row, h += n, next += n, x_part += 3 * n, h_part += 3 * n) {
      for (std::int64_t i = 0; i < n; i += lane_width) {
        const auto of_x = [&](std::int64_t gate) {
          return Lane::load(x_part + gate * n + i) + Lane::load(b_.data() + gate * n + i);
        };
        const auto of_h = [&](std::int64_t gate) {
          return Lane::load(h_part + gate * n + i) + Lane::load(c_.data() + gate * n + i);
        };
        const Lane r = sigmoid(of_x(0) + of_h(0)), z = sigmoid(of_x(1) + of_h(1));
        const Lane candidate_h = of_h(2), candidate = tanh(fma(r, candidate_h, of_x(2)));
        fma(z, Lane::load(h + i) - candidate, candidate).store(next + i);
        r.store(x_part + i);
        z.store(x_part + n + i);
        candidate.store(x_part + 2 * n + i);
        candidate_h.store(h_part + 2 * n + i);
      }
    }
  }

  void back(std::int64_t t) {
    const float* h = h_.data() + t * batch_ * n;
    const float* gates = from_x_.data() + t * batch_ * 3 * n;
    const float* h_part = from_h_.data() + t * batch_ * 3 * n;
    float* dx_part = dfrom_x_.data() + t * batch_ * 3 * n;
    float* dh_part = dfrom_h_.data() + t * batch_ * 3 * n;
    for (std::int64_t row = 0; row < batch_; ++row) {
      for (std::int64_t i = 0; i < n; i += lane_width) {
        const std::int64_t at = row * 3 * n + i;
        const Lane r = Lane::load(gates + at), z = Lane::load(gates + at + n);
        const Lane candidate = Lane::load(gates + at + 2 * n);
        float* dh = dh_.data() + row * n + i;
        const Lane g = Lane::load(dh);
        const Lane dcandidate = g * (1 - z) * ((1 - candidate) * (1 + candidate));
        const Lane dz = g * (Lane::load(h + row * n + i) - candidate) * (z * (1 - z));
        const Lane dr = dcandidate * Lane::load(h_part + at + 2 * n) * (r * (1 - r));
        (g * z).store(dh);
        for (float* both : {dx_part, dh_part}) {
          dr.store(both + at);
          dz.store(both + at + n);
        }
        dcandidate.store(dx_part + at + 2 * n);
        (dcandidate * r).store(dh_part + at + 2 * n);
      }
    }
    if (t > 0) product(CblasNoTrans, CblasNoTrans, batch_, n, 3 * n, dh_part, u_.data(), dh_.data(), 1, 1);
  }

  static constexpr double bound = 0.176776695;

  std::int64_t batch_, steps_;
  Values w_ = numbers(10, 3 * n * n, -bound, bound), u_ = numbers(11, 3 * n * n, -bound, bound);
  Values b_ = numbers(12, 3 * n, -bound, bound), c_ = numbers(13, 3 * n, -bound, bound);
  Values x_, h_, dh_;  // h_ begins with zeros
  Values from_x_, from_h_, dfrom_x_, dfrom_h_;
  Values dw_ = Values(w_.size()), du_ = Values(u_.size()), db_ = Values(b_.size()), dc_ = Values(c_.size());
  float loss_ = 0;
};

}  // namespace

void add_gru(Families& families) {
  families["gru32"] = [](const Name& name, float) {
    return std::make_unique<Gru>(name.numbers().at(0), name.numbers().at(1));
  };
}

}  // namespace bench
