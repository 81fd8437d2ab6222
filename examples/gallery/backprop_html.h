#pragma once

#include <map>
#include <string>

#include "recorded_graph.h"

namespace gallery {

/// A page for a browser, one file that needs no other, which steps forward and back through the graph.
/// `remarks` are sentences on some of its tensors, by name. Throws Error for an operation whose rule it does
/// not know.
[[nodiscard]] std::string backprop_html(const RecordedGraph& graph,
                                        const std::map<std::string, std::string>& remarks);

}  // namespace gallery
