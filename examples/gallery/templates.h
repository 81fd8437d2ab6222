#pragma once

#include <string>

#include "linear_models.h"
#include "page.h"

// What a matrix has learnt, drawn: the pictures of page 03 that show its rows as images.

namespace gallery {

/// Trains without a penalty and with the one that validation images choose, draws both, and notes how good
/// and how rough they are. Gives the classifier with the penalty.
nn::LinearClassifier draw_templates(Page& page, const Task& task, const std::string& what_to_see);

}  // namespace gallery
