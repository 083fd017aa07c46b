// Names that follow from the pipeline's: topics, ids, directories. They are fixed: state is found
// again by them.
#pragma once

#include <string>

namespace weir::runtime {

// Characters that a topic (and a file) may not have become `_`.
inline std::string legal_name(const std::string& name) {
  std::string legal = name;
  for (char& c : legal) {
    bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                c == '.' || c == '-' || c == '_';
    if (!good) c = '_';
  }
  return legal;
}
inline std::string changelog_topic(const std::string& pipeline, const std::string& identity) {
  return legal_name(pipeline + "." + identity + ".changelog");
}
inline std::string commits_topic(const std::string& pipeline) {
  return legal_name(pipeline + ".commits");
}
inline std::string transactional_id(const std::string& pipeline, const std::string& instance) {
  return pipeline + "-" + instance;
}
inline std::string group_instance_id(const std::string& pipeline, const std::string& instance) {
  return pipeline + "-" + instance;
}

}  // namespace weir::runtime
