#include "xtgrad/autograd/emit/text_table.h"

#include <typeinfo>

namespace xtgrad::inline v1::detail {
namespace {

const TextFamily elementwise(elementwise_texts());
const TextFamily choice(choice_texts());
const TextFamily product(product_texts());
const TextFamily reduction(reduction_texts());
const TextFamily shape(shape_texts());
const TextFamily softmax(softmax_texts());
const TextFamily convolution(convolution_texts());
const TextFamily pooling(pooling_texts());
const TextFamily index(index_texts());

/// A primitive of somebody else may have the name of one of ours, and compute something else.
bool is_of_the_library(const Primitive& primitive) {
  return std::string_view(typeid(primitive).name()).find("6xtgrad") <= 1;
}

}  // namespace

const TextOf* TextFamily::find(std::string_view primitive) {
  for (const TextFamily* family = first_; family != nullptr; family = family->next_) {
    for (const TextOf& text : family->texts_) {
      if (text.name == primitive) return &text;
    }
  }
  return nullptr;
}

const TextOf* text_of(const Primitive& primitive) {
  return is_of_the_library(primitive) ? TextFamily::find(primitive.name()) : nullptr;
}

}  // namespace xtgrad::v1::detail
