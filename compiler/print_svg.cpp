// The graph as SVG: a layered layout after Sugiyama, Tagawa and Toda (1981), in its plain form.
//
//     1  a node's layer is one below the lowest of its inputs
//     2  an edge over several layers gets a place in each between: a line, as narrow as a line
//     3  within a layer the order follows the mean of the neighbours' places, a few times over
//     4  x: as near to the neighbours as the order and the gaps allow
//
// Boxes of a layer stand beside each other and layers below each other, so none overlap. An edge
// runs straight down inside of a layer, in its own place, and bends only in the gap between two
// layers, so it crosses no box.
#include <algorithm>
#include <map>
#include <numeric>

#include "compiler/compile.h"
#include "compiler/explain.h"

namespace weir::compiler {
namespace {

constexpr double kLetter = 7.3, kLine = 16, kPad = 10, kGapX = 28, kGapY = 64, kMargin = 20;
constexpr size_t kLettersMax = 64;  // of a line of a box
constexpr int kSweeps = 8;

// Code points: texts of programs are UTF-8.
size_t letters(std::string_view text) {
  return size_t(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else if (uint8_t(c) < 0x20)  // XML has no place for them
      out += ' ';
    else
      out += c;
  }
  return out;
}

// At spaces, so that no line is long; what has no space is cut.
std::vector<std::string> wrapped(const std::string& text) {
  std::vector<std::string> lines{""};
  for (size_t at = 0; at < text.size();) {
    size_t space = text.find(' ', at + 1);
    std::string word = text.substr(at, space == std::string::npos ? space : space - at);
    at += word.size();
    if (letters(word) > kLettersMax) {
      size_t keep = kLettersMax - 1;
      while (keep > 0 && (word[keep] & 0xC0) == 0x80) --keep;
      word = word.substr(0, keep) + "…";
    }
    if (!lines.back().empty() && letters(lines.back()) + letters(word) > kLettersMax) {
      lines.push_back("  ");
      word.erase(0, word.find_first_not_of(' '));
    }
    lines.back() += word;
  }
  return lines;
}

std::string coordinate(double value) { return std::to_string(int64_t(value + 0.5)); }

class Layout {
 public:
  explicit Layout(const Graph& graph) : graph_(graph), edges_(edges(graph)) {}

  std::string run() {
    make_boxes();
    make_lines();
    order();
    place();
    return draw();
  }

 private:
  // A node's box, or the place of a line on its way through a layer.
  struct Box {
    size_t layer = 0;
    std::vector<std::string> lines;
    double x = 0, y = 0, width = 2, height = 0;  // x: of the middle
    std::vector<size_t> above, below;
    const char* style = "";
  };

  void make_boxes() {
    for (const Node& node : graph_.nodes) {
      Box box;
      for (NodeId input : node.inputs) box.layer = std::max(box.layer, boxes_[input].layer + 1);
      size_t widest = 0;
      for (const std::string& line : node_lines(graph_, node)) {
        for (std::string& part : wrapped(line)) {
          widest = std::max(widest, letters(part));
          box.lines.push_back(std::move(part));
        }
      }
      box.width = double(widest) * kLetter + 2 * kPad;
      box.height = double(box.lines.size()) * kLine + 2 * kPad;
      box.style = std::holds_alternative<SourceNode>(node.is)  ? "source"
                  : std::holds_alternative<SinkNode>(node.is)  ? "sink"
                  : std::holds_alternative<KeyedNode>(node.is) ? "keyed"
                                                               : "rows";
      boxes_.push_back(std::move(box));
    }
  }

  void make_lines() {
    for (size_t i = 0; i < edges_.size(); ++i) {
      std::vector<size_t>& way = ways_.emplace_back();
      way.push_back(edges_[i].from);
      for (size_t layer = boxes_[edges_[i].from].layer + 1; layer < boxes_[edges_[i].to].layer;
           ++layer) {
        Box line;
        line.layer = layer;
        way.push_back(boxes_.size());
        boxes_.push_back(std::move(line));
      }
      way.push_back(edges_[i].to);
      for (size_t at = 0; at + 1 < way.size(); ++at) {
        boxes_[way[at]].below.push_back(way[at + 1]);
        boxes_[way[at + 1]].above.push_back(way[at]);
      }
    }
    for (size_t i = 0; i < boxes_.size(); ++i) {
      layers_.resize(std::max(layers_.size(), boxes_[i].layer + 1));
      layers_[boxes_[i].layer].push_back(i);
    }
  }

  void order() {
    std::vector<double> place(boxes_.size());
    auto number = [&](const std::vector<size_t>& layer) {
      for (size_t i = 0; i < layer.size(); ++i) place[layer[i]] = double(i);
    };
    for (const auto& layer : layers_) number(layer);
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      bool down = sweep % 2 == 0;
      for (size_t i = 0; i < layers_.size(); ++i) {
        auto& layer = layers_[down ? i : layers_.size() - 1 - i];
        std::vector<double> wanted(boxes_.size());
        for (size_t box : layer) {
          const auto& next = down ? boxes_[box].above : boxes_[box].below;
          double sum = 0;
          for (size_t other : next) sum += place[other];
          wanted[box] = next.empty() ? place[box] : sum / double(next.size());
        }
        std::sort(layer.begin(), layer.end(), [&](size_t a, size_t b) {
          return std::pair(wanted[a], place[a]) < std::pair(wanted[b], place[b]);
        });
        number(layer);
      }
    }
  }

  void place() {
    double y = kMargin;
    for (const auto& layer : layers_) {
      double height = 0;
      for (size_t box : layer) height = std::max(height, boxes_[box].height);
      for (size_t box : layer) boxes_[box].y = y;
      tops_.push_back(y);
      heights_.push_back(height);
      y += height + kGapY;
    }
    height_ = y - kGapY + kMargin;
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      bool down = sweep % 2 == 0;
      for (size_t i = 0; i < layers_.size(); ++i)
        place_layer(layers_[down ? i : layers_.size() - 1 - i], down);
    }
    double left = 1e18, right = 0;
    for (const Box& box : boxes_) left = std::min(left, box.x - box.width / 2);
    for (Box& box : boxes_) {
      box.x += kMargin - left;
      right = std::max(right, box.x + box.width / 2);
    }
    width_ = right + kMargin;
  }

  // Boxes go where they want to, and push those on their right; then all go back by half of what
  // they were pushed on average.
  void place_layer(const std::vector<size_t>& layer, bool down) {
    double pushed = 0, end = -1e18;
    std::vector<double> wanted;
    for (size_t box : layer) {
      const auto& next = down ? boxes_[box].above : boxes_[box].below;
      double sum = 0;
      for (size_t other : next) sum += boxes_[other].x;
      wanted.push_back(next.empty() ? boxes_[box].x : sum / double(next.size()));
    }
    for (size_t i = 0; i < layer.size(); ++i) {
      Box& box = boxes_[layer[i]];
      box.x = std::max(wanted[i], end + box.width / 2);
      end = box.x + box.width / 2 + kGapX;
      pushed += box.x - wanted[i];
    }
    for (size_t box : layer) boxes_[box].x -= pushed / double(layer.size());
  }

  // Where an edge leaves or enters a box: its edges side by side, in the order of where they go.
  double port(size_t box, const std::vector<size_t>& all, size_t edge, bool below) const {
    std::vector<size_t> sorted = all;
    auto other = [&](size_t e) {
      return boxes_[below ? ways_[e][1] : ways_[e][ways_[e].size() - 2]].x;
    };
    std::sort(sorted.begin(), sorted.end(),
              [&](size_t a, size_t b) { return std::pair(other(a), a) < std::pair(other(b), b); });
    size_t at = size_t(std::find(sorted.begin(), sorted.end(), edge) - sorted.begin());
    const Box& of = boxes_[box];
    return of.x - of.width / 2 + of.width * double(at + 1) / double(sorted.size() + 1);
  }

  std::string draw() const {
    std::string out =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + coordinate(width_) + "\" height=\"" +
        coordinate(height_) + "\" viewBox=\"0 0 " + coordinate(width_) + " " + coordinate(height_) +
        "\">\n<style>"
        "text { font: 12px monospace; fill: #222 } "
        "rect { stroke: #555; rx: 4 } "
        ".source { fill: #e3f0e3 } .rows { fill: #f4f4f4 } .keyed { fill: #fdf0d5 } "
        ".sink { fill: #e0eaf6 } "
        "path { fill: none; stroke: #555; stroke-width: 1.5 } .cut { stroke-dasharray: 6 4 } "
        "</style>\n<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" "
        "markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" "
        "style=\"fill: #555; stroke: none\"/></marker></defs>\n"
        "<rect width=\"100%\" height=\"100%\" style=\"fill: #fff; stroke: none\"/>\n";
    std::map<size_t, std::vector<size_t>> leaving, coming;
    for (size_t i = 0; i < edges_.size(); ++i) {
      leaving[edges_[i].from].push_back(i);
      coming[edges_[i].to].push_back(i);
    }
    for (size_t i = 0; i < edges_.size(); ++i)
      out += draw_edge(i, leaving[edges_[i].from], coming[edges_[i].to]);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) out += draw_box(boxes_[i]);
    return out + "</svg>\n";
  }

  std::string draw_edge(size_t edge, const std::vector<size_t>& leaving,
                        const std::vector<size_t>& coming) const {
    const std::vector<size_t>& way = ways_[edge];
    const EdgeInfo& info = edges_[edge];
    double x = port(way[0], leaving, edge, true);
    double y = boxes_[way[0]].y + boxes_[way[0]].height;
    std::string path = "M" + coordinate(x) + " " + coordinate(y);
    for (size_t at = 1; at < way.size(); ++at) {
      const Box& next = boxes_[way[at]];
      bool last = at + 1 == way.size();
      double to = last ? port(way[at], coming, edge, false) : next.x;
      double from_y = tops_[next.layer - 1] + heights_[next.layer - 1], to_y = tops_[next.layer];
      double middle = (from_y + to_y) / 2;
      path += "L" + coordinate(x) + " " + coordinate(from_y) + "C" + coordinate(x) + " " +
              coordinate(middle) + " " + coordinate(to) + " " + coordinate(middle) + " " +
              coordinate(to) + " " + coordinate(to_y);
      x = to;
      if (!last) path += "L" + coordinate(x) + " " + coordinate(to_y + heights_[next.layer]);
    }
    std::string title = node_name(graph_, graph_.nodes[info.from]) + " → " +
                        node_name(graph_, graph_.nodes[info.to]);
    if (info.late) title += ", late rows";
    for (const std::string& trait : info.traits) title += "\n" + trait;
    if (!info.fused) title += "\nnot fused: " + info.why_not;
    std::string shown;
    for (char c : title) shown += c == '\n' ? "&#10;" : escaped(std::string(1, c));
    return "<path d=\"" + path + "\" marker-end=\"url(#tip)\"" +
           (info.fused ? "" : " class=\"cut\"") + "><title>" + shown + "</title></path>\n";
  }

  static std::string draw_box(const Box& box) {
    double left = box.x - box.width / 2;
    std::string out = std::string("<rect class=\"") + box.style + "\" x=\"" + coordinate(left) +
                      "\" y=\"" + coordinate(box.y) + "\" width=\"" + coordinate(box.width) +
                      "\" height=\"" + coordinate(box.height) + "\"/>\n";
    for (size_t i = 0; i < box.lines.size(); ++i) {
      out += "<text xml:space=\"preserve\" x=\"" + coordinate(left + kPad) + "\" y=\"" +
             coordinate(box.y + kPad + kLine * double(i) + 12) + "\">" + escaped(box.lines[i]) +
             "</text>\n";
    }
    return out;
  }

  const Graph& graph_;
  std::vector<EdgeInfo> edges_;
  std::vector<Box> boxes_;  // the nodes, then places of lines
  std::vector<std::vector<size_t>> ways_, layers_;
  std::vector<double> tops_, heights_;
  double width_ = 0, height_ = 0;
};

}  // namespace

std::string print_svg(const Graph& graph) { return Layout(graph).run(); }

}  // namespace weir::compiler
