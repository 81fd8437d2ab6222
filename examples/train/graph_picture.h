#pragma once

#include <filesystem>
#include <string>

#include "xtgrad/autograd/graph.h"

namespace train {

/// Writes the graph to graph.dot in `folder`, and draws it as graph.svg if Graphviz's program
/// dot is there. Returns what came of it, for the user to read. Throws xtgrad::IoError if graph.dot can't be
/// written, and xtgrad::training::Interrupted, leaving no
/// half picture; a missing or failing dot is no error.
std::string draw_graph(const xtgrad::Graph& graph, const std::string& title,
                       const std::filesystem::path& folder);

}  // namespace train
