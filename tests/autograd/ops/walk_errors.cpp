// What errors of dtypes say, beyond a name and the dtype.
#include <fmt/format.h>

#include <initializer_list>

#include "tests/autograd/ops/op_walk.h"

namespace xtgrad::inline v1::testing {

std::vector<std::string> refusals_without_advice(const Op& op, const Sample& sample,
                                                 std::span<const Values> values) {
  std::vector<std::string> found;
  const auto expect = [&](Dtype dtype, std::initializer_list<std::string_view> parts) {
    const std::vector<Tensor> inputs = make_inputs(sample, values, dtype, false);
    const std::string message = throws<DtypeError>("", [&] { return sample.apply(inputs); }).attempt();
    for (const std::string_view part : parts) {
      if (message.find(part) != std::string::npos) continue;
      found.push_back(fmt::format("{}({}), errors: {} inputs: the message does not say \"{}\": \"{}\"",
                                  detail::to_string(op.id), sample.attributes, to_string(dtype), part,
                                  message));
    }
  };
  if (op.accepts == Accepts::floating) {
    for (const Dtype dtype : {int64, int32, uint8, boolean}) expect(dtype, {"needs float32 or float64"});
  } else if (op.accepts == Accepts::numbers) {
    expect(boolean, {"needs numbers, got bool"});
    for (const Dtype dtype : {int32, uint8})
      expect(dtype, {"needs int64, float32 or float64", "convert with to(int64)"});
  }
  return found;
}

}  // namespace xtgrad::v1::testing
