// `weir new NAME`: a folder with a program, its data and a test, which runs as it is.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tools/weir/commands.h"
#include "tools/weir/program.h"

namespace weir::tools {

using runtime::Exit;

namespace {

constexpr const char* kProgram = R"weir(/// Clicks per page and minute.
record Click {
  page: string
  user: string
  ts:   timestamp(ms)
}

source clicks: Click = kafka("clicks") {
  format     = json
  event_time = ts
  watermark  = 10s
  on_error   = skip
}

stream pages = clicks
  | window tumble(1m) by page { clicks = count() }

sink pages -> kafka("pages") {
  key    = page
  format = json
  emit   = append
}

test "clicks of one minute" {
  given clicks [
    { page = "/", user = "a", ts = @2025-01-01T00:00:01Z },
    { page = "/", user = "b", ts = @2025-01-01T00:00:59Z },
    { page = "/", user = "a", ts = @2025-01-01T00:01:00Z },
  ]
  expect pages [
    { window_start = @2025-01-01T00:00:00Z, page = "/", clicks = 2 },
    { window_start = @2025-01-01T00:01:00Z, page = "/", clicks = 1 },
  ]
}
)weir";

constexpr const char* kData = R"json({"page":"/","user":"a","ts":1735689601000}
{"page":"/docs","user":"b","ts":1735689602000}
{"page":"/","user":"c","ts":1735689659000}
{"page":"/","user":"a","ts":1735689661000}
)json";

bool write(const std::filesystem::path& path, const char* text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  return bool(out);
}

int make(const std::string& name) {
  std::filesystem::path folder = name;
  std::error_code error;
  if (std::filesystem::exists(folder, error))
    return fail(Exit::Usage, "`" + name + "` is there already");
  std::filesystem::create_directories(folder / "data", error);
  std::string stem = folder.filename().string();
  if (error || !write(folder / (stem + ".weir"), kProgram) ||
      !write(folder / "data" / "clicks.jsonl", kData)) {
    return fail(Exit::Disk, "`" + name + "` can't be written");
  }
  std::printf(
      "%s/%s.weir, %s/data/clicks.jsonl\n\n  weir test %s/%s.weir\n  weir run %s/%s.weir --dev\n",
      name.c_str(), stem.c_str(), name.c_str(), name.c_str(), stem.c_str(), name.c_str(),
      stem.c_str());
  return 0;
}

}  // namespace

Command add_new(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  app.add_option("NAME", *name, "folder to make")->required();
  return [name] { return make(*name); };
}

}  // namespace weir::tools
