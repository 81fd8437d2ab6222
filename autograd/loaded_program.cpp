#include "xtgrad/autograd/loaded_program.h"

#include <fmt/format.h>

#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/on_behalf.h"
#include "xtgrad/autograd/program_file/decode.h"
#include "xtgrad/autograd/program_file/encode.h"
#include "xtgrad/autograd/program_file/families.h"
#include "xtgrad/autograd/program_file/loaded_run.h"

namespace xtgrad::inline v1 {
namespace {

LoadedProgram load(std::string_view function, std::string_view bytes, std::string_view source,
                   const ReadLimits& limits) {
  detail::mention_families();
  detail::MemoryBudget budget(limits);
  const Safetensors contents =
      detail::reading(function, source, {detail::FileFormat::safetensors, bytes}, [&] {
        budget.take(bytes.size());
        return detail::decode_safetensors(bytes, budget);
      });
  // From here on it is a safetensors file, whatever its first bytes are like.
  return detail::within_memory(function, source, [&] {
    try {
      detail::SavedProgram saved = detail::decoded(contents, budget);
      budget.check(detail::bytes_to_run(saved.steps));
      return LoadedProgram(std::make_unique<detail::LoadedRun>(std::move(saved)));
    } catch (const IoError& error) {
      detail::throw_about(function, source, error);
    }
  });
}

}  // namespace

LoadedProgram::LoadedProgram(std::unique_ptr<detail::LoadedRun> run) : run_(std::move(run)) {}
LoadedProgram::~LoadedProgram() = default;
LoadedProgram::LoadedProgram(LoadedProgram&&) noexcept = default;
LoadedProgram& LoadedProgram::operator=(LoadedProgram&&) noexcept = default;

std::vector<Tensor> LoadedProgram::operator()(std::span<const Tensor> inputs) { return (*run_)(inputs); }
std::vector<Tensor> LoadedProgram::operator()(std::initializer_list<Tensor> inputs) {
  return (*run_)({inputs.begin(), inputs.size()});
}

const Program& LoadedProgram::program() const& { return run_->program(); }

std::vector<LoadedProgram::Input> LoadedProgram::inputs() const {
  const detail::ProgramSteps& steps = run_->saved().steps;
  std::vector<Input> inputs;
  for (const detail::ProgramOperand& input : steps.inputs)
    inputs.push_back({steps.values[input.value].name, input.spec});
  return inputs;
}

std::vector<NamedTensor> LoadedProgram::state() const {
  const detail::SavedProgram& saved = run_->saved();
  std::vector<NamedTensor> state;
  for (std::size_t i = 0; i < saved.state.size(); ++i) {
    if (saved.state[i].defined()) state.push_back({saved.steps.state[i].name, saved.state[i]});
  }
  return state;
}

Tensor LoadedProgram::state(std::string_view name) const {
  for (NamedTensor& each : state()) {
    if (each.name == name) return std::move(each.value);
  }
  throw ValueError(fmt::format("LoadedProgram: there is no state \"{}\"", name));
}

void LoadedProgram::save(const std::string& path) const {
  detail::save_program("LoadedProgram::save", path, run_->saved());
}

std::string LoadedProgram::encode() const {
  return detail::encode_program("LoadedProgram::encode", run_->saved());
}

LoadedProgram load_program(const std::string& path, const ReadLimits& limits) {
  constexpr std::string_view function = "load_program";
  return load(function, detail::read_file(function, path, limits), path, limits);
}

LoadedProgram decode_program(std::string_view bytes, std::string_view source, const ReadLimits& limits) {
  return load("decode_program", bytes, source, limits);
}

}  // namespace xtgrad::v1
