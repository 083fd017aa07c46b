// Texts and places in them.
//
// A `SourceFile` owns the text of one `.weir` file for as long as anything refers to it; a `Span`
// is a half-open range of bytes in one of them. Columns and lines are computed when they are shown.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::dsl {

using FileId = uint16_t;

// Bytes [begin, end) of file `file`.
struct Span {
  uint32_t begin = 0;
  uint32_t end = 0;
  FileId file = 0;

  bool empty() const { return begin == end; }
  // The smallest span that covers both. Requires: the same file.
  Span to(Span other) const {
    return {begin < other.begin ? begin : other.begin, end > other.end ? end : other.end, file};
  }
};

// A line and a column, both counted from 1; the column counts characters (code points), as editors
// do.
struct LineColumn {
  uint32_t line = 1;
  uint32_t column = 1;
};

class SourceFile {
 public:
  SourceFile(std::string path, std::string text);

  const std::string& path() const { return path_; }
  std::string_view text() const { return text_; }
  std::string_view text(Span span) const {
    return std::string_view(text_).substr(span.begin, span.end - span.begin);
  }
  LineColumn line_column(uint32_t offset) const;
  // The text of a line (from 1), without its end.
  std::string_view line(uint32_t line) const;

 private:
  std::string path_;
  std::string text_;
  std::vector<uint32_t> line_starts_;
};

// All texts of one compilation; a FileId indexes it.
class Sources {
 public:
  FileId add(std::string path, std::string text);
  const SourceFile& file(FileId id) const { return *files_[id]; }
  std::string_view text(Span span) const { return file(span.file).text(span); }
  size_t size() const { return files_.size(); }

 private:
  std::vector<std::unique_ptr<SourceFile>> files_;
};

}  // namespace weir::dsl
