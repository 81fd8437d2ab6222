// Epochs that are begun in their middle, as a training that is resumed begins them.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "tests/datasets/noise_batches.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/loader.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using datasets::Batch;
using datasets::Loader;
using datasets::LoaderOptions;

TEST_CASE("loader workers: an epoch begun in its middle has the same bits from there on") {
  for (const std::int64_t workers : {0, 1, 3}) {
    for (const bool drop_last : {false, true}) {
      LoaderOptions options = busy(workers);
      options.drop_last = drop_last;
      Loader whole(images(26), options);
      static_cast<void>(epoch(whole));
      const std::vector<Bits> expected = epoch(whole);
      for (std::int64_t first = 0; first <= whole.batches(); ++first) {
        CAPTURE(first);
        Loader loader(images(26), options);
        loader.set_epoch(1);
        std::vector<Bits> rest;
        for (auto at = loader.begin_at(first); at != loader.end(); ++at) rest.emplace_back(*at);
        CHECK(rest == std::vector<Bits>(expected.begin() + first, expected.end()));
        CHECK(loader.epoch() == 2);
      }
    }
  }
}

TEST_CASE("loader: an epoch begun in its middle never makes the batches before it") {
  std::atomic<int> made = 0;
  Loader loader(images(26), {.batch_size = 4, .transform = [&](Batch&, Random&) { ++made; }});
  for (auto at = loader.begin_at(5); at != loader.end(); ++at) static_cast<void>(*at);
  CHECK(made == 2);
  CHECK_THROWS_WITH_AS(static_cast<void>(loader.begin_at(-1)),
                       "begin_at: batch must be from 0 to 7, the batches of an epoch: got -1", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(loader.begin_at(8)),
                       "begin_at: batch must be from 0 to 7, the batches of an epoch: got 8", ValueError);
  CHECK(loader.epoch() == 1);
}
