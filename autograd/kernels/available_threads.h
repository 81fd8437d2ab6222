#pragma once

namespace xtgrad::inline v1::detail {

/// How many of `wanted` further threads the system gives, by starting them, at once, and ending them. What
/// runs tiles must know before: oneTBB ends the program where a thread of its own is refused another one.
[[nodiscard]] int available_threads(int wanted);

}  // namespace xtgrad::v1::detail
