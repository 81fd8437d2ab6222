// In place of report_pictures.cpp where Cairo was not found, so that programs need no #if.
#include <string>

#include "report_pictures.h"
#include "xtgrad/autograd/errors.h"

namespace plot {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& function) {
  throw xtgrad::Error(function +
                      ": this program was built without Cairo: install libcairo2-dev and configure again");
}

}  // namespace

bool available() { return false; }

void draw_learning_curves(const fs::path&, std::span<const EpochScores>, const LearningCurvesOptions&) {
  fail("draw_learning_curves");
}
void draw_filters(const fs::path&, const xtgrad::Tensor&, const ImagesOptions&) { fail("draw_filters"); }
void draw_feature_maps(const fs::path&, const FeatureMaps&, const ImagesOptions&) {
  fail("draw_feature_maps");
}
void draw_confusion_matrix(const fs::path&, const xtgrad::Tensor&, std::span<const std::string>) {
  fail("draw_confusion_matrix");
}
void draw_mistakes(const fs::path&, const Mistakes&, std::span<const std::string>) { fail("draw_mistakes"); }

}  // namespace plot
