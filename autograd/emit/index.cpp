// Texts of what is looked up and added by index.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "xtgrad/autograd/emit/loops.h"

namespace xtgrad::inline v1::detail {
namespace {

std::vector<std::int64_t> steps_of(const Shape& shape) {
  std::vector<std::int64_t> steps(shape.rank(), 1);
  for (std::size_t d = shape.rank(); d-- > 1;) steps[d - 1] = steps[d] * shape[d];
  return steps;
}

/// Loops over the elements of the smaller array, and of each its place there, in the index and in the larger
/// one, along whose axis the index says where.
struct Lookup {
  std::string small, large;
};

/// The index has the small array's shape, or is one list for the axis.
void write_lookup(const StepView& step, WholeText& text, const Shape& small, const Shape& large, bool is_list,
                  auto&& statement) {
  Statements& code = text.code();
  const auto axis = static_cast<std::size_t>(step.integer("axis"));
  std::vector<std::string> names;
  for (std::size_t d = 0; d < small.rank(); ++d) {
    names.push_back(code.fresh("i"));
    code.open(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", names.back(), small[d]));
  }
  const std::string place = index_text(names, steps_of(small));
  const std::string number = code.fresh("n");
  code.line(fmt::format("const long long {} = {}[{}];", number, text.in(1), is_list ? names[axis] : place));
  text.refuse_if(fmt::format("{0} < 0 || {0} >= {1}", number, large[axis]));
  std::vector<std::string> in_large = names;
  in_large[axis] = number;
  statement(Lookup{place, index_text(in_large, steps_of(large))});
  for (std::size_t d = 0; d < small.rank(); ++d) code.close();
}

template <bool is_list>
void write_gather(const StepView& step, WholeText& text) {
  write_lookup(step, text, step.out().shape, step.in(0).shape, is_list, [&](const Lookup& at) {
    text.code().line(fmt::format("{}[{}] = {}[{}];", text.out(0), at.small, text.in(0), at.large));
  });
}

template <bool is_list>
void write_add(const StepView& step, WholeText& text) {
  const std::string i = text.code().fresh("i");
  text.code().line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = {3}[{0}];", i,
                               step.out().shape.numel(), text.out(0), text.in(0)));
  write_lookup(step, text, step.in(2).shape, step.in(0).shape, is_list, [&](const Lookup& at) {
    text.code().line(fmt::format("{}[{}] += {}[{}];", text.out(0), at.large, text.in(2), at.small));
  });
}

}  // namespace

std::vector<TextOf> index_texts() {
  return {{.name = "gather", .whole = write_gather<false>, .refuses = true},
          {.name = "index_select", .whole = write_gather<true>, .refuses = true},
          {.name = "scatter_add", .whole = write_add<false>, .refuses = true},
          {.name = "index_add", .whole = write_add<true>, .refuses = true}};
}

}  // namespace xtgrad::v1::detail
