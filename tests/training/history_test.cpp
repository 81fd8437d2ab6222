#include "xtgrad/training/history.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using testing::message_of;
using training::EpochRecord;
using training::History;

namespace {

EpochRecord record(std::int64_t epoch, double loss) {
  return {.epoch = epoch,
          .step = 10 * epoch,
          .lr = 0.5,
          .values = {{"loss", loss}, {"f1", 0.25}},
          .samples_per_second = 1e6 / 3,
          .seconds = 0.125};
}

}  // namespace

TEST_CASE("a history gives back its records, also by its state") {
  History history({"loss", "f1"});
  CHECK(history.records().empty());
  history.add(record(1, 0.1));
  history.add(record(2, 0.2));
  History other({"loss", "f1"});
  other.load_state_dict(history.state_dict());
  for (const History* one : {&history, &other}) {
    CHECK(one->epochs() == 2);
    REQUIRE(one->records().size() == 2);
    const EpochRecord last = one->last();
    CHECK(last.epoch == 2);
    CHECK(last.step == 20);
    CHECK(last.lr == 0.5);
    CHECK(last.at("loss") == 0.2);
    CHECK(last.at("f1") == 0.25);
    CHECK(last.samples_per_second == 1e6 / 3);
    CHECK(last.seconds == 0.125);
    CHECK(one->records()[0].at("loss") == 0.1);
    one->check_epochs(2);
  }
  history.clear();
  CHECK(history.epochs() == 0);
  history.check_epochs(0);
}

TEST_CASE("a history takes the next epoch alone, with its own names, and knows a state that is none") {
  History history({"loss", "f1"});
  const auto refused = [&](const EpochRecord& one) {
    return message_of<ValueError>([&] {
      history.add(one);
      return 0;
    });
  };
  CHECK(refused(record(2, 0)) == "History: the next epoch must be 1: got 2");
  CHECK(refused({.epoch = 1, .values = {{"loss", 1}}}) ==
        "History: values must be called loss, f1: got loss");
  CHECK(history.epochs() == 0);
  nn::StateDict state;
  state.add("records", zeros({2, 3}));
  history.load_state_dict(state);
  CHECK(message_of<ValueError>([&] {
          history.check_epochs(2);
          return 0;
        }) == "History: records must be float64 [2, 6]: got float32 [2, 3]");
  CHECK(message_of<ValueError>([&] { return record(1, 0).at("lr"); }) ==
        "EpochRecord: no value \"lr\"; there are: loss, f1");
}
