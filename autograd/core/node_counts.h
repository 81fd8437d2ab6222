#pragma once

#include "xtgrad/autograd/core/ref_count.h"
#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace detail {

/// The two counts that a handle touches; the base of every graph node, so that copying a handle is no call.
struct NodeCounts {
  RefCount values{1};  // handles, and saved slots that need the value
  RefCount refs{1};    // graph edges, and one for all of `values` together
};

/// What happens when `values` has fallen to zero: the buffer goes, unless the node's own rule reads it, and
/// so does the reference that all of `values` shared.
void release_value(NodeCounts& counts) noexcept;

/// Gives back one graph reference; the last one frees the node.
XTGRAD_LOCAL void release_ref(NodeCounts& counts) noexcept;

class XTGRAD_LOCAL Node;

/// Releases what the rule of a recorded node needed: its slots, its edges and, where no handle is left, its
/// value. For the last sweep to leave a claimed node.
XTGRAD_LOCAL void free_graph_of(Node& node) noexcept;

}}}  // namespace xtgrad::v1::detail
