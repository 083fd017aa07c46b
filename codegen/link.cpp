// An executable without a C compiler: lld as a library, over the pipeline's objects and what weir
// ships beside itself.
//
// `library`/link.txt lists what is linked, in order (made when weir is built, link_library.cmake):
//
//     file crti.o               in that directory: start files, archives of the runtime
//     pipeline                  here come the pipeline's objects
//     shared librdkafka.so.1    found by its name in the system's library directories
#include <filesystem>
#include <fstream>

#include <lld/Common/Driver.h>
#include <llvm/Support/raw_ostream.h>

#include "codegen/codegen.h"
#include "codegen/object.h"

LLD_HAS_DRIVER(elf)

namespace weir::codegen {

namespace fs = std::filesystem;

namespace {

// Removes the objects when linking is over, however it ends.
struct ObjectFolder {
  fs::path path;
  ~ObjectFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

std::optional<std::string> find_shared(const std::string& name,
                                       const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    std::error_code error;
    if (fs::exists(fs::path(folder) / name, error)) return (fs::path(folder) / name).string();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> build_binary(const compiler::Compiled& compiled,
                                        const BuildOptions& options) {
  fs::path library = options.library;
  std::ifstream list(library / "link.txt");
  if (!list)
    return "`" + (library / "link.txt").string() +
           "` can't be read: weir ships it with its `lib` directory";
  auto objects = emit_objects(compiled, options.cpus, options.formats);
  if (!objects) return objects.error();

  ObjectFolder folder;
  std::string pattern = options.output + ".objects.XXXXXX";
  if (!mkdtemp(pattern.data())) return "no directory can be made beside `" + options.output + "`";
  folder.path = pattern;
  std::vector<std::string> arguments{"ld.lld",
                                     "-pie",
                                     "-m",
                                     "elf_x86_64",
                                     "--eh-frame-hdr",
                                     "--gc-sections",
                                     "--as-needed",
                                     "--build-id",
                                     "-z",
                                     "relro",
                                     "-z",
                                     "now",
                                     "--allow-shlib-undefined",
                                     "-dynamic-linker",
                                     "/lib64/ld-linux-x86-64.so.2",
                                     "-o",
                                     options.output};
  for (std::string line; std::getline(list, line);) {
    size_t space = line.find(' ');
    std::string kind = line.substr(0, space);
    std::string name = space == std::string::npos ? "" : line.substr(space + 1);
    if (kind == "file") {
      if (!fs::exists(library / name)) return "`" + (library / name).string() + "` is missing";
      arguments.push_back((library / name).string());
    } else if (kind == "pipeline") {
      for (size_t i = 0; i < objects->size(); i++) {
        fs::path path = folder.path / (std::to_string(i) + ".o");
        std::ofstream file(path, std::ios::binary);
        file.write((*objects)[i]->getBufferStart(),
                   std::streamsize((*objects)[i]->getBufferSize()));
        if (!file.flush()) return "`" + path.string() + "` can't be written";
        arguments.push_back(path.string());
      }
    } else if (kind == "shared") {
      auto path = find_shared(name, options.system_libraries);
      if (!path) return "`" + name + "` is not installed";
      arguments.push_back(*path);
    } else if (!kind.empty()) {
      return "`" + (library / "link.txt").string() + "` has a line that is not understood: " + line;
    }
  }
  std::vector<const char*> argv;
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  std::string messages;
  llvm::raw_string_ostream out(messages);
  lld::Result result = lld::lldMain(argv, out, out, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0) return "linking failed: " + messages;
  return std::nullopt;
}

}  // namespace weir::codegen
