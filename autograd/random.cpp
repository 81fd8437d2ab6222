#include "xtgrad/autograd/random.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <numbers>
#include <optional>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/core/philox.h"
#include "xtgrad/autograd/core/random_streams.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1 {

namespace detail { namespace {

class AdvanceStream final : public ConstantPrimitive<AdvanceStream> {
 public:
  [[nodiscard]] std::string_view name() const override { return "advance_stream"; }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override {
    const auto* from = in[0]->data<std::uint64_t>();
    auto* to = out[0]->mutable_data<std::uint64_t>();
    to[0] = from[0];
    to[1] = from[1] + 1;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    require_spec(name(), "the stream", *in[0], {Shape{2}, Dtype::int64, {}});
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 1; }
};

std::uint64_t seed_of_child(std::uint64_t seed, std::uint64_t position) {
  return random_bits(seed, position, 0).low;
}

/// The state of a generator that is split off, from that of its parent.
class SplitStream final : public ConstantPrimitive<SplitStream> {
 public:
  [[nodiscard]] std::string_view name() const override { return "split_stream"; }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override {
    const auto* from = in[0]->data<std::uint64_t>();
    auto* to = out[0]->mutable_data<std::uint64_t>();
    to[0] = seed_of_child(from[0], from[1]);
    to[1] = 0;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    require_spec(name(), "the stream", *in[0], {Shape{2}, Dtype::int64, {}});
  }
};

}}  // namespace detail

std::array<std::uint32_t, 4> Random::block(std::uint64_t seed, std::uint64_t position, std::uint64_t index) {
  std::array<std::array<std::uint32_t, 1>, 4> words;
  detail::philox<1>(seed, position, index, words);
  return {words[0][0], words[1][0], words[2][0], words[3][0]};
}

std::uint64_t Random::advance() {
  if (detail::thread_state.is_watched()) state_ = detail::apply_constant(detail::AdvanceStream{}, state());
  return position_++;
}

Tensor Random::state() const {
  const auto seed = std::bit_cast<std::int64_t>(seed_), position = std::bit_cast<std::int64_t>(position_);
  if (state_.defined()) {
    const auto* words = detail::array_of(state_).data<std::int64_t>();
    if (words[0] == seed && words[1] == position) return state_;
  }
  detail::Array array = detail::Array::uninitialized({2}, Dtype::int64);
  array.mutable_data<std::int64_t>()[0] = seed;
  array.mutable_data<std::int64_t>()[1] = position;
  state_ = detail::make_constant(std::move(array));
  return state_;
}

Random Random::split() {
  Random child(detail::seed_of_child(seed_, position_));
  if (detail::thread_state.is_watched()) {
    child.state_ = detail::apply_constant(detail::SplitStream{}, state());
  }
  static_cast<void>(advance());
  return child;
}

double Random::next_uniform() { return detail::unit_interval(detail::random_bits(seed_, advance(), 0).low); }

double Random::next_normal() { return detail::normal_from(detail::random_bits(seed_, advance(), 0)); }

std::int64_t Random::next_below(std::int64_t n) {
  if (n < 1) throw ValueError(fmt::format("next_below: n must be at least 1: got {}", n));
  return static_cast<std::int64_t>(
      detail::random_below(static_cast<std::uint64_t>(n), seed_, advance(), 0, 1));
}

namespace {

struct DefaultRandom {
  detail::RandomStream stream;
  std::optional<Random> random;  // from the first draw on, so that streams are given in the order of these
};

DefaultRandom& this_thread() {
  thread_local DefaultRandom mine;
  return mine;
}

}  // namespace

Random& default_random() {
  DefaultRandom& mine = this_thread();
  if (!mine.random) mine.random.emplace(mine.stream.take_next());
  return *mine.random;
}

void manual_seed(std::uint64_t seed) {
  DefaultRandom& mine = this_thread();
  mine.random.emplace(mine.stream.seed_process(seed));
}

void seed_this_thread(std::int64_t stream) {
  if (stream < 0) throw ValueError(fmt::format("seed_this_thread: needs a stream from 0 on: got {}", stream));
  DefaultRandom& mine = this_thread();
  mine.random.emplace(mine.stream.take_named(stream));
}

}  // namespace xtgrad::v1
