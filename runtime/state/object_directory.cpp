// Objects as files of a directory. An object is written under another name, synced and renamed, so
// that it is whole or not there, whatever is killed or loses its power.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "runtime/crc32c.h"
#include "runtime/state/object_store.h"

namespace weir::runtime {

namespace {

namespace fs = std::filesystem;

constexpr size_t kCopyBytes = 1 << 20;
constexpr char kUnfinished[] = ".unfinished";

Status disk_error(const std::string& what, const std::string& path, int error) {
  return Status::error(Exit::Disk, what + " `" + path + "`: " + std::strerror(error));
}

class File {
 public:
  File(const std::string& path, int flags)
      : path_(path), descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool is_open() const { return descriptor_ >= 0; }

  // Empty at the end.
  Result<std::string_view> read(std::vector<char>& buffer) {
    ssize_t got = 0;
    do {
      got = ::read(descriptor_, buffer.data(), buffer.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) return disk_error("read", path_, errno);
    return std::string_view(buffer.data(), size_t(got));
  }
  Status write(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t done = ::write(descriptor_, bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) return disk_error("write", path_, errno);
      bytes.remove_prefix(size_t(done));
    }
    return {};
  }
  Status sync() { return ::fsync(descriptor_) == 0 ? Status() : disk_error("sync", path_, errno); }

 private:
  std::string path_;
  int descriptor_;
};

Result<ObjectStore::Copied> copy(File& from, File& to) {
  ObjectStore::Copied copied;
  std::vector<char> buffer(kCopyBytes);
  while (true) {
    Result<std::string_view> bytes = from.read(buffer);
    if (!bytes.ok()) return bytes.take_status();
    if (bytes->empty()) return copied;
    if (Status status = to.write(*bytes); !status.ok()) return status;
    copied.bytes += bytes->size();
    copied.crc32c = crc32c_extend(copied.crc32c, bytes->data(), bytes->size());
  }
}

class ObjectDirectory final : public ObjectStore {
 public:
  explicit ObjectDirectory(std::string root) : root_(std::move(root)) {}

  Result<Copied> put_file(const std::string& name, const std::string& path) override {
    File from(path, O_RDONLY);
    if (!from.is_open()) return disk_error("open", path, errno);
    Copied copied;
    Status status = write_object(name, [&](File& to) -> Status {
      Result<Copied> done = copy(from, to);
      if (!done.ok()) return done.take_status();
      copied = *done;
      return {};
    });
    if (!status.ok()) return status;
    return copied;
  }

  Status put(const std::string& name, std::string_view bytes) override {
    return write_object(name, [&](File& to) { return to.write(bytes); });
  }

  Result<Copied> get_file(const std::string& name, const std::string& path) override {
    File from(path_of(name), O_RDONLY);
    if (!from.is_open()) return disk_error("open", path_of(name), errno);
    File to(path, O_WRONLY | O_CREAT | O_TRUNC);
    if (!to.is_open()) return disk_error("open", path, errno);
    return copy(from, to);
  }

  Result<std::string> get(const std::string& name) override {
    File from(path_of(name), O_RDONLY);
    if (!from.is_open()) return disk_error("open", path_of(name), errno);
    std::string all;
    std::vector<char> buffer(kCopyBytes);
    while (true) {
      Result<std::string_view> bytes = from.read(buffer);
      if (!bytes.ok()) return bytes.take_status();
      if (bytes->empty()) return all;
      all.append(*bytes);
    }
  }

  Result<std::vector<Object>> list(const std::string& prefix) override {
    std::vector<Object> objects;
    std::error_code error;
    // A prefix ends with a folder: what does not begin with it is passed over below.
    fs::path folder = fs::path(path_of(prefix)).parent_path();
    if (!fs::exists(folder, error)) return objects;
    for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error)) {
      std::error_code gone;
      if (!it->is_regular_file(gone)) continue;
      std::string name = it->path().lexically_relative(root_).string();
      uint64_t bytes = it->file_size(gone);
      if (!gone && name.starts_with(prefix)) objects.push_back({std::move(name), bytes});
    }
    if (error) return disk_error("list", folder.string(), error.value());
    std::sort(objects.begin(), objects.end(),
              [](const Object& a, const Object& b) { return a.name < b.name; });
    return objects;
  }

  Status remove(const std::string& name) override {
    std::error_code error;
    fs::remove(path_of(name), error);
    if (error) return disk_error("remove", path_of(name), error.value());
    // The folder goes with its last object; an error says that it was not the last.
    fs::remove(fs::path(path_of(name)).parent_path(), error);
    return {};
  }

 private:
  std::string path_of(const std::string& name) const { return root_ + "/" + name; }

  template <class Fill>
  Status write_object(const std::string& name, Fill fill) {
    std::string path = path_of(name), unfinished = path + kUnfinished;
    fs::path folder = fs::path(path).parent_path();
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return disk_error("make", folder.string(), error.value());
    {
      File to(unfinished, O_WRONLY | O_CREAT | O_TRUNC);
      if (!to.is_open()) return disk_error("open", unfinished, errno);
      Status status = fill(to);
      if (status.ok()) status = to.sync();
      if (!status.ok()) {
        fs::remove(unfinished, error);
        return status;
      }
    }
    if (::rename(unfinished.c_str(), path.c_str()) != 0) return disk_error("rename", path, errno);
    File directory(folder.string(), O_RDONLY | O_DIRECTORY);
    if (!directory.is_open()) return disk_error("open", folder.string(), errno);
    return directory.sync();
  }

  std::string root_;
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_object_directory(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return disk_error("make", path, error.value());
  if (::access(path.c_str(), W_OK | X_OK) != 0) return disk_error("write into", path, errno);
  std::string root = fs::absolute(path).lexically_normal().string();
  while (root.size() > 1 && root.ends_with('/')) root.pop_back();
  return std::unique_ptr<ObjectStore>(std::make_unique<ObjectDirectory>(root));
}

}  // namespace weir::runtime
