// Every known primitive with attributes and operands that a file could say: refused, or run without harm. The
// sanitizers' builds see what is done to memory.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/share.h"
#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/core/known_primitives.h"
#include "xtgrad/autograd/program_file/families.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using detail::Array;
using detail::KnownPrimitives;
using detail::NamedAttribute;

template <class T, std::size_t n>
T among(Random& random, const std::array<T, n>& all) {
  return all[static_cast<std::size_t>(random.next_below(static_cast<std::int64_t>(n)))];
}

std::int64_t any_integer(Random& random) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  constexpr std::array<std::int64_t, 8> ends{most, -most - 1, -1, 8, 64, std::int64_t{1} << 31,
                                             1025, most / 2};
  return random.next_below(6) == 0 ? among(random, ends) : random.next_below(4);
}

double any_double(Random& random) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  constexpr std::array<double, 10> all{
      0, -0.0, 1, 0.5, -1, 2, inf, -inf, std::numeric_limits<double>::quiet_NaN(), 1e300};
  return among(random, all);
}

Dtype any_dtype(Random& random) {
  constexpr std::array<Dtype, 8> all{float32, float32, float64, float64, int64, boolean, uint8, int32};
  return among(random, all);
}

/// Another value of the attribute's kind.
struct Changed {
  Random& random;

  AttributeValue operator()(bool v) const { return !v; }
  AttributeValue operator()(std::int64_t) const { return any_integer(random); }
  AttributeValue operator()(double) const { return any_double(random); }
  AttributeValue operator()(const std::string&) const { return std::string(to_string(any_dtype(random))); }
  AttributeValue operator()(const std::vector<std::int64_t>& v) const {
    std::vector<std::int64_t> list(random.next_below(3) == 0 ? static_cast<std::size_t>(random.next_below(4))
                                                             : v.size());
    for (std::int64_t& each : list) each = any_integer(random);
    return list;
  }
  AttributeValue operator()(const std::vector<double>& v) const { return v; }
};

/// Specs that often go together: one shape and what operations derive from it.
class Specs {
 public:
  explicit Specs(Random& random) : random_(random), dtype_(any_dtype(random)) {
    const std::int64_t rank = random.next_below(5);
    for (std::int64_t d = 0; d < rank; ++d)
      shape_.push_back(random.next_below(10) == 0 ? 0 : 1 + random.next_below(4));
  }
  Spec next() {
    ++count_;
    // As an optimizer's step has them.
    if (is_step_)
      return count_ == 3 ? Spec{Shape{2 + random_.next_below(7)}, float64, {}} : Spec{shape_, dtype_, {}};
    const Dtype dtype = random_.next_below(4) == 0 ? any_dtype(random_) : dtype_;
    const std::int64_t n = shape_.numel();
    const auto at = [&](std::size_t d) { return d < shape_.rank() ? shape_[d] : 1; };
    switch (random_.next_below(10)) {
      case 0: {
        Shape without;
        const auto axis = static_cast<std::size_t>(random_.next_below(4));
        for (std::size_t d = 0; d < shape_.rank(); ++d) {
          if (d != axis) without.push_back(shape_[d]);
        }
        return {without, dtype, {}};
      }
      case 1:
        return {Shape{2, at(1)}, float64, {}};
      case 2:
        return {Shape{at(1)}, dtype, {}};
      case 3:
        return {Shape{}, random_.next_below(2) == 0 ? float64 : int64, {}};
      case 4:
        return {Shape{random_.next_below(8)}, random_.next_below(2) == 0 ? float64 : int64, {}};
      case 5:
        return {Shape{n, n}, dtype, {}};
      default:
        return {shape_, dtype, {}};
    }
  }

 private:
  Random& random_;
  Dtype dtype_;
  Shape shape_;
  bool is_step_ = random_.next_below(4) == 0;
  int count_ = 0;
};

/// Small numbers, some of which are places.
Array elements_of(const Spec& spec, Random& random) {
  Array array = Array::uninitialized(spec.shape, spec.dtype);
  detail::visit(spec.dtype, [&](auto zero) {
    auto* to = array.mutable_data<decltype(zero)>();
    for (std::int64_t i = 0; i < spec.shape.numel(); ++i)
      to[i] = static_cast<decltype(zero)>(random.next_below(3));
  });
  return array;
}

/// True if the call ran to its end.
bool call(const Primitive& primitive, const std::vector<Spec>& specs, std::uint64_t left_out,
          Random& random) {
  std::vector<const Spec*> in;
  for (const Spec& spec : specs) in.push_back(&spec);
  for (std::size_t ends = 1; ends < 6; ++ends) {
    std::vector<Spec> made(ends);
    std::vector<const Spec*> wanted;
    std::vector<Spec*> places;
    for (std::size_t k = 0; k < ends; ++k) {
      wanted.push_back((left_out >> k & 1) != 0 ? nullptr : &made[k]);
      places.push_back(&made[k]);
    }
    try {
      primitive.check_loaded(in, wanted);
    } catch (const Error&) {
      continue;
    }
    try {
      const Counts counts = primitive.counts(in);
      REQUIRE(counts.outputs + counts.auxiliaries == ends);
      primitive.infer(in, places);
      std::vector<Array> inputs, outputs;
      for (const Spec& spec : made) {
        if (detail::bytes_of(spec.shape, spec.dtype) > 1 << 16) return false;
      }
      for (const Spec& spec : specs) inputs.push_back(elements_of(spec, random));
      for (const Spec& spec : made) outputs.push_back(Array::uninitialized(spec.shape, spec.dtype));
      std::vector<const Array*> from;
      std::vector<Array*> to;
      for (const Array& array : inputs) from.push_back(&array);
      for (std::size_t k = 0; k < ends; ++k) to.push_back(wanted[k] == nullptr ? nullptr : &outputs[k]);
      primitive.eval(from, to);
      return true;
    } catch (const InternalError& error) {
      FAIL_CHECK(std::string(primitive.name()) << ": " << std::string(error.what()));
    } catch (const Error&) {
    } catch (const OutOfMemory&) {
    }
    return false;
  }
  return false;
}

TEST_CASE("whatever a file says of a call, it is refused or does no harm") {
  detail::mention_families();
  const KnownPrimitives known;
  std::size_t ran = 0, classes_that_ran = 0, classes = 0;
  const testing::Share part = testing::share();
  for (const auto& [name, of_name] : known.by_name()) {
    for (const detail::KnownPrimitive* each : of_name) {
      if (!part.has(classes++)) continue;
      Random random(99);
      const detail::PrimitiveCopy usual(*each);
      const std::size_t before = ran;
      for (int trial = 0; trial < 2000; ++trial) {
        std::vector<NamedAttribute> attributes = detail::attributes_of(*usual);
        for (NamedAttribute& attribute : attributes) {
          if (random.next_below(2) == 0) attribute.value = std::visit(Changed{random}, attribute.value);
        }
        const KnownPrimitives::Made made = known.make(name, attributes);
        if (!made.primitive) continue;
        Specs specs(random);
        std::vector<Spec> in;
        for (std::int64_t count = random.next_below(7); count > 0; --count) in.push_back(specs.next());
        const std::uint64_t left_out =
            random.next_below(3) == 0 ? static_cast<std::uint64_t>(random.next_below(32)) : 0;
        ran += call(**made.primitive, in, left_out, random) ? 1 : 0;
      }
      classes_that_ran += ran > before ? 1 : 0;
    }
  }
  MESSAGE(ran << " calls ran, of " << classes_that_ran << " classes among " << classes);
  CHECK(classes_that_ran > part.least_of(200));
}

}}  // namespace xtgrad
