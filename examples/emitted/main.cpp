// Which digit is it? Reads an image of 8 x 8 numbers in [0, 1] and says, by the net of digits_conv_net.cpp:
// no xtgrad, no allocation, no exceptions.
#include <cstdio>

namespace digits {
void run(const float* in0, float* result0);
}

int main() {
  float image[64];
  for (float& pixel : image) {
    if (std::scanf("%f", &pixel) != 1) return 1;
  }
  float scores[10];
  digits::run(image, scores);
  int best = 0;
  for (int k = 1; k < 10; ++k) {
    if (scores[k] > scores[best]) best = k;
  }
  for (const float score : scores) std::printf("%a\n", static_cast<double>(score));
  std::printf("%d\n", best);
}
