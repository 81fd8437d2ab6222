// Which operations have a text, and how it is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/emit/step_view.h"
#include "xtgrad/autograd/emit/term.h"

namespace xtgrad::inline v1::detail {

/// One element of a step that computes element by element: what its formula sees.
class ElementText {
 public:
  virtual ~ElementText() = default;

  /// The function that is written.
  virtual Statements& code() = 0;
  /// A name or literal for the element of input k.
  virtual std::string in(std::size_t k) = 0;
  /// Element `index`, an expression, of an input that is a list of its own.
  virtual std::string in_at(std::size_t k, std::string_view index) = 0;
  /// Says what output k's element is.
  virtual void set(std::size_t k, std::string_view expression) = 0;

  template <class T>
  Term<T> term(std::size_t k) {
    return {&code(), in(k)};
  }
  template <class T>
  void set(std::size_t k, const Term<T>& term) {
    set(k, std::string_view(term.text));
  }
};

/// A step that is written as a whole.
class WholeText {
 public:
  virtual ~WholeText() = default;

  virtual Statements& code() = 0;
  /// Pointers to an operand's elements, as expressions.
  virtual std::string in(std::size_t k) = 0;
  virtual std::string out(std::size_t k) = 0;
  /// Memory for so many elements while the step runs.
  virtual std::string scratch(Dtype dtype, std::int64_t elements) = 0;
  /// Ends the run, and leaves all state as it is, where the condition holds.
  virtual void refuse_if(std::string_view condition) = 0;
};

/// How one primitive is written, by one of the functions; `refusal` says why a step of it has no text
/// after all, and is empty for one that has.
struct TextOf {
  std::string_view name;
  void (*element)(const StepView& step, ElementText& text) = nullptr;
  void (*whole)(const StepView& step, WholeText& text) = nullptr;
  /// Inputs that are lists of their own, and not elements: bit k.
  InputSet lists = 0;
  /// True where a run may be refused.
  bool refuses = false;
  std::string (*refusal)(const StepView& step) = nullptr;

  [[nodiscard]] bool writes_whole() const { return element == nullptr; }
};

/// Those of a family, to be found: one in each source of the families' texts, of optimizers' among them.
class TextFamily {
 public:
  explicit TextFamily(std::vector<TextOf> texts) : texts_(std::move(texts)), next_(first_) { first_ = this; }
  TextFamily(const TextFamily&) = delete;
  TextFamily& operator=(const TextFamily&) = delete;

  /// Null for a primitive that has none.
  static const TextOf* find(std::string_view primitive);

 private:
  static inline TextFamily* first_ = nullptr;

  std::vector<TextOf> texts_;
  TextFamily* next_;
};

/// The library's own families of operations.
[[nodiscard]] std::vector<TextOf> elementwise_texts();
[[nodiscard]] std::vector<TextOf> choice_texts();
[[nodiscard]] std::vector<TextOf> product_texts();
[[nodiscard]] std::vector<TextOf> reduction_texts();
[[nodiscard]] std::vector<TextOf> shape_texts();
[[nodiscard]] std::vector<TextOf> softmax_texts();
[[nodiscard]] std::vector<TextOf> convolution_texts();
[[nodiscard]] std::vector<TextOf> pooling_texts();
[[nodiscard]] std::vector<TextOf> index_texts();

/// The text of a step's primitive; null if it has none, or is none of the library's.
[[nodiscard]] const TextOf* text_of(const Primitive& primitive);

}  // namespace xtgrad::v1::detail
