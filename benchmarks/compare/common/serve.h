#pragma once

#include <functional>
#include <string>

#include "benchmarks/compare/common/workload.h"

namespace bench {

struct Engine {
  std::string name;
  std::string version;  ///< of what it computes with
  Families families;
  std::function<void(int)> set_threads = [](int) {};
};

/// Answers the driver's lines, one JSON object each, until its input ends:
///   about         {"engine", "version"}
///   prepare NAME  makes the workload and runs it three times: {"first": [[projection, norm], ...], "third":
///   [...]}
///                 of the outputs of these steps; {"unknown": true} for what the engine has not
///   run N         {"ns": of one of N steps}
///   rss           {"kb": the most memory that the process has had}
/// and {"error": text} where something is thrown. Returns main's exit code.
int serve(const Engine& engine);

}  // namespace bench
