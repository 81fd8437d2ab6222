#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

namespace detail {

/// Whether f is a pointer to a function, a std::function or a Callable that holds none.
template <class F>
bool is_empty_function(F& f) {
  if constexpr (std::is_pointer_v<F>) {
    return f == nullptr;
  } else if constexpr (requires { f.operator bool(); }) {
    return !f;
  } else {
    return false;
  }
}
/// Throws ValueError in the name of the function that was called, unless it was given a function.
void check_function(std::string_view caller, bool given);

}  // namespace detail

/// A function given to the library, or a lambda with what it captured; empty if nothing was given. Converts
/// from whatever can be called so, std::function included, and is copied with it.
///
///   Callable<Tensor(const Tensor&)> f = [scale](const Tensor& x) { return x * scale; };
///
/// In place of std::function, whose header is a twentieth of what a program with <xtgrad/xtgrad.h> takes to
/// compile.
template <class Signature>
class Callable;

template <class Result, class... Arguments>
class Callable<Result(Arguments...)> {
 public:
  Callable() = default;
  Callable(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): as a pointer to a function
  template <class F>
  requires(!std::is_base_of_v<Callable, std::remove_cvref_t<F>> &&
           !std::is_member_pointer_v<std::decay_t<F>> &&
           std::is_invocable_r_v<Result, std::decay_t<F>&, Arguments...>)
      Callable(F&& f) {  // NOLINT(google-explicit-constructor): as std::function
    static_assert(std::is_copy_constructible_v<std::decay_t<F>>, "a Callable is copied with what it holds");
    if (detail::is_empty_function(f)) return;
    held_ = std::make_unique<Holder<std::decay_t<F>>>(std::forward<F>(f));
  }
  Callable(const Callable& other) : held_(other.held_ ? other.held_->copy() : nullptr) {}
  Callable(Callable&& other) noexcept = default;
  Callable& operator=(Callable other) noexcept {
    held_ = std::move(other.held_);
    return *this;
  }
  ~Callable() = default;

  [[nodiscard]] explicit operator bool() const { return held_ != nullptr; }
  [[nodiscard]] bool operator==(std::nullptr_t) const { return held_ == nullptr; }
  /// Throws ValueError if it is empty.
  Result operator()(Arguments... arguments) const {
    if (held_ == nullptr) throw ValueError("Callable: holds no function to call");
    return held_->call(std::forward<Arguments>(arguments)...);
  }

 private:
  struct Held {
    Held() = default;
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    virtual ~Held() = default;
    [[nodiscard]] virtual std::unique_ptr<Held> copy() const = 0;
    virtual Result call(Arguments&&... arguments) = 0;
  };

  template <class F>
  struct Holder final : Held {
    template <class G>
    explicit Holder(G&& g) : f(std::forward<G>(g)) {}
    [[nodiscard]] std::unique_ptr<Held> copy() const override { return std::make_unique<Holder>(f); }
    Result call(Arguments&&... arguments) override {
      if constexpr (std::is_void_v<Result>) {
        f(std::forward<Arguments>(arguments)...);
      } else {
        return f(std::forward<Arguments>(arguments)...);
      }
    }
    F f;
  };

  std::unique_ptr<Held> held_;
};

namespace detail {
/// Modules say which arguments they have, and functions that take them beside functions know them by it.
template <class F>
concept NamesInputs = requires {
  typename std::remove_cvref_t<F>::Inputs;
};
}  // namespace detail

/// A Callable that takes whatever it is given, and asks whether it can be called so once it is chosen among
/// overloads: a generic lambda, such as `[](const auto& x) {...}`, is then compiled for the arguments that it
/// will get, and not for those of the overload beside.
template <class Signature>
class AnyCallable;

template <class Result, class... Arguments>
class AnyCallable<Result(Arguments...)> : public Callable<Result(Arguments...)> {
 public:
  AnyCallable() = default;
  template <class F>
  requires(!std::is_base_of_v<AnyCallable, std::remove_cvref_t<F>> &&
           (!detail::NamesInputs<F> || std::is_convertible_v<F, Callable<Result(Arguments...)>>))
      AnyCallable(F&& f) {  // NOLINT(google-explicit-constructor): as Callable
    constexpr bool fits = std::is_convertible_v<F, Callable<Result(Arguments...)>>;
    static_assert(fits,
                  "the function that was given does not take these arguments, or returns something else");
    if constexpr (fits) static_cast<Callable<Result(Arguments...)>&>(*this) = std::forward<F>(f);
  }
};

}}  // namespace xtgrad::v1
