// Runs a captured function from a file, without any of the model's code (docs/programs.md):
//   run_program step.program inputs.safetensors results.safetensors
#include <xtgrad/autograd/errors.h>
#include <xtgrad/autograd/io/safetensors.h>
#include <xtgrad/autograd/loaded_program.h>

#include <cstdio>
#include <string>
#include <vector>

using namespace xtgrad;

int main(int argc, char** argv) try {
  if (argc != 4) throw ValueError("run_program: needs a program, inputs, and a name for the results");
  LoadedProgram program = load_program(argv[1]);
  std::vector<Tensor> inputs;
  for (const NamedTensor& input : load_safetensors(argv[2]).tensors) inputs.push_back(input.value);
  Safetensors results;
  for (const Tensor& result : program(inputs))
    results.tensors.push_back({"out" + std::to_string(results.tensors.size()), result});
  save_safetensors(argv[3], results);
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
