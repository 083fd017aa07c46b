#include "runtime/connectors/kafka/fetch/endpoint.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace weir::runtime::kafka::fetch {

std::vector<Endpoint> read_endpoints(const std::string& list) {
  std::vector<Endpoint> found;
  for (size_t begin = 0; begin <= list.size();) {
    size_t end = std::min(list.find(',', begin), list.size());
    std::string_view text(list.data() + begin, end - begin);
    begin = end + 1;
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    if (size_t scheme = text.find("://"); scheme != text.npos) text.remove_prefix(scheme + 3);
    if (text.empty()) continue;
    Endpoint endpoint;
    size_t colon = text.rfind(':');
    bool is_port = colon != text.npos && text.find(']', colon) == text.npos &&
                   (text.front() == '[' || text.find(':') == colon);
    if (is_port) {
      std::from_chars(text.data() + colon + 1, text.data() + text.size(), endpoint.port);
      text = text.substr(0, colon);
    }
    if (text.size() > 2 && text.front() == '[') text = text.substr(1, text.size() - 2);
    endpoint.host = text;
    found.push_back(std::move(endpoint));
  }
  return found;
}

}  // namespace weir::runtime::kafka::fetch
