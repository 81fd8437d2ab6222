#include "xtgrad/nn/capture.h"

#include <fmt/format.h>

#include <utility>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/program_file/encode.h"
#include "xtgrad/nn/captured_run.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

StateRoots roots_of(const std::vector<CapturedState>& state) {
  StateRoots roots;
  for (std::size_t i = 0; i < state.size(); ++i) {
    const CapturedState& each = state[i];
    if (each.object() == nullptr && each.stream() == nullptr && each.counter() == nullptr &&
        each.parameter() == nullptr && !each.leaf().defined()) {
      throw ValueError(
          fmt::format("{}: state {} is a null pointer, or an empty parameter or tensor", "capture", i));
    }
    if (each.leaf().defined() && !each.leaf().is_leaf()) {
      throw GraphError(fmt::format(
          "{}: state {} is a tensor that was computed; state is what computations start from: a leaf",
          "capture", i));
    }
    roots.push_back({each.object(), each.stream(), each.counter(), each.parameter(), each.leaf()});
  }
  return roots;
}

}  // namespace

/// The programs of one function: one for each combination of shapes that it was captured with.
class CapturedPrograms {
 public:
  CapturedPrograms(CalledFunction f, std::vector<Tensor*> inputs, const std::vector<CapturedState>& state,
                   const CaptureOptions& options)
      : f_(std::move(f)), places_(std::move(inputs)), roots_(roots_of(state)), options_(options) {
    if (options.verify < 0) {
      throw ValueError(
          fmt::format("{}: verify is a number of calls, 0 or more, got {}", "capture", options.verify));
    }
    capture();
  }
  CapturedPrograms(const CapturedPrograms& other, CalledFunction f, std::vector<Tensor*> inputs)
      : f_(std::move(f)),
        places_(std::move(inputs)),
        roots_(other.roots_),
        options_(other.options_),
        current_(other.current_) {
    for (const Entry& each : other.entries_)
      entries_.push_back({std::make_unique<CapturedRun>(*each.run, roots_), each.to_verify});
  }

  [[nodiscard]] CapturedRun& current() const { return *entries_[current_].run; }
  [[nodiscard]] std::size_t number() const { return current_; }
  void give(const Tensor& input) { given_.push_back(&input); }

  void run() {
    const Forget at_the_end{given_};
    choose();
    Entry& entry = entries_[current_];
    if (entry.to_verify == 0) {
      entry.run->run(given_, nullptr);
      return;
    }
    // What cannot be replayed is refused before the function is called.
    entry.run->check(given_);
    put();
    const Outcome expected = outcome_of(f_, Arguments(places_), entry.run->places(), roots_, replayer);
    entry.run->run(given_, &expected);
    --entry.to_verify;
  }
  ProgramRun watch() {
    const Forget at_the_end{given_};
    choose();
    return current().watch(given_);
  }
  ProgramProfile profile(std::size_t runs) {
    const Forget at_the_end{given_};
    choose();
    return current().profile(given_, runs);
  }

 private:
  struct Entry {
    std::unique_ptr<CapturedRun> run;
    std::int64_t to_verify;
  };

  struct Forget {
    std::vector<const Tensor*>& given;
    ~Forget() { given.clear(); }
  };

  /// The program for these inputs, captured now if there is none and that was asked for.
  void choose() {
    if (is_listed_for_others()) {
      throw GraphError(
          fmt::format("{}: called while another function is captured, whose list would lack what a replay "
                      "computes: call the function "
                      "itself",
                      replayer));
    }
    if (options_.other_shapes == OtherShapes::refuse || current().takes(given_)) return;
    for (std::size_t k = 0; k < entries_.size(); ++k) {
      if (!entries_[k].run->takes(given_)) continue;
      current_ = k;
      return;
    }
    if (given_.size() != places_.size()) return;  // the run says so
    put();
    capture();
  }

  /// Puts the elements where the function reads its arguments.
  void put() const {
    for (std::size_t k = 0; k < given_.size(); ++k) *places_[k] = *given_[k];
  }

  void capture() {
    entries_.push_back({std::make_unique<CapturedRun>(f_, Arguments(places_), roots_), options_.verify});
    current_ = entries_.size() - 1;
  }

  CalledFunction f_;
  std::vector<Tensor*> places_;
  StateRoots roots_;
  CaptureOptions options_;
  std::vector<Entry> entries_;
  std::size_t current_ = 0;
  std::vector<const Tensor*> given_;  // of the call that is to come, so far
};

}  // namespace detail

CapturedCall::CapturedCall(Callable<std::vector<Tensor*>()> f, std::vector<Tensor*> inputs,
                           const std::vector<CapturedState>& state, const CaptureOptions& options)
    : programs_(std::make_unique<detail::CapturedPrograms>(std::move(f), std::move(inputs), state, options)) {
}
CapturedCall::CapturedCall(const CapturedCall& other, Callable<std::vector<Tensor*>()> f,
                           std::vector<Tensor*> inputs)
    : programs_(
          std::make_unique<detail::CapturedPrograms>(*other.programs_, std::move(f), std::move(inputs))) {}
CapturedCall::~CapturedCall() = default;
CapturedCall::CapturedCall(CapturedCall&&) noexcept = default;
CapturedCall& CapturedCall::operator=(CapturedCall&&) noexcept = default;

const Program& CapturedCall::program() const& { return programs_->current().program(); }
std::size_t CapturedCall::program_number() const { return programs_->number(); }
void CapturedCall::give(const Tensor& input) { programs_->give(input); }
void CapturedCall::run() { programs_->run(); }
Tensor CapturedCall::result(std::size_t number) { return programs_->current().result(number); }
std::vector<NamedTensor> CapturedCall::state() const { return programs_->current().state(); }
ProgramRun CapturedCall::watch() { return programs_->watch(); }
ProgramProfile CapturedCall::profile(std::size_t runs) { return programs_->profile(runs); }
void CapturedCall::save(const std::string& path) const {
  detail::save_program("Captured::save", path, programs_->current().saved());
}

void CapturedCall::throw_other_value() {
  throw ValueError(
      fmt::format("{}: an argument that is no tensor, a number of tensors or which of them are empty differs "
                  "from when the function was captured, of which it is a constant: capture it anew",
                  detail::replayer));
}

}  // namespace xtgrad::v1
