// The delivery level of every sink and every dead letter, derived along its path.
//
// An epoch is committed in one step: the log's transaction, or where there is no log the atomic
// write of the local store. Positions and state are part of it. So a row is exactly once where its
// source can be read again from such a position, and its sink is part of that step or can be cut
// back to it. What is handed over behind the step is missing if the process dies in between, and
// what can't be read again is missing if it dies in front of it: at most once.
#include <algorithm>

#include "compiler/explain.h"

namespace weir::compiler {
namespace {

std::string place_of(const std::string& connector, const std::string& address) {
  return connector + (address.empty() ? "" : "(\"" + address + "\")");
}

class DeliveryFinder {
 public:
  explicit DeliveryFinder(const Graph& graph) : graph_(graph) {
    for (const Node& node : graph.nodes) {
      auto* source = std::get_if<SourceNode>(&node.is);
      auto* sink = std::get_if<SinkNode>(&node.is);
      uses_log_ |= (source && source->connector == "kafka") || (sink && sink->connector == "kafka");
    }
  }

  std::vector<Delivery> run() {
    for (const Node& node : graph_.nodes) {
      if (auto* sink = std::get_if<SinkNode>(&node.is)) add_sink(node, *sink);
    }
    for (const Node& node : graph_.nodes) {
      auto* source = std::get_if<SourceNode>(&node.is);
      if (source && source->on_error == OnError::DeadLetter) add_dead_letters(node, *source);
    }
    return std::move(all_);
  }

 private:
  void add_sink(const Node& node, const SinkNode& sink) {
    Delivery delivery;
    delivery.what = "sink " + sink.name;
    delivery.place = place_of(sink.connector, sink.address);
    delivery.exactly_once = sink.deliver == "exactly_once";
    std::vector<bool> seen(graph_.nodes.size());
    bool from_log = false;
    read_reasons(node.id, seen, from_log, delivery.reasons);
    if (sink.connector == "kafka") {
      delivery.reasons.push_back(
          "written in the Kafka transaction of the epoch, with state and positions: readers with "
          "isolation.level = read_committed see each row once");
      delivery.dev = "printed on standard output";
    } else if (sink.connector == "file") {
      delivery.reasons.push_back(
          "written in front of the commit, the file's length is part of it: a start cuts off what "
          "was not committed");
    } else if (sink.connector == "stdout") {
      delivery.reasons.push_back(
          "printed behind the commit, and can't be taken back: if the process dies in between, the "
          "rows of that epoch are missing, and none is there twice");
    } else if (sink.connector == "discard") {
      delivery.reasons.push_back("nothing leaves");
    }
    add_dev(from_log, delivery);
    all_.push_back(std::move(delivery));
  }

  // Why the rows of the sources in front of a node can be read again, or can't.
  void read_reasons(NodeId id, std::vector<bool>& seen, bool& from_log,
                    std::vector<std::string>& reasons) {
    if (seen[id]) return;
    seen[id] = true;
    const Node& node = graph_.nodes[id];
    if (auto* source = std::get_if<SourceNode>(&node.is)) {
      from_log |= source->connector == "kafka";
      reasons.push_back("`" + node.stream + "` " + read_reason(*source));
    }
    for (NodeId input : node.inputs) read_reasons(input, seen, from_log, reasons);
  }

  std::string read_reason(const SourceNode& source) const {
    if (source.connector == "stdin")
      return "is standard input, which can't be read again: what was read and not committed is "
             "lost with the process";
    if (source.connector == "kafka")
      return "is read on from the offsets that the last committed epoch has";
    std::string what = source.connector == "generate" ? "makes the same rows again" : "is read on";
    return what + " from the last committed position, which is in " +
           (uses_log_ ? "the topic <name>.commits" : "the state directory");
  }

  void add_dead_letters(const Node& node, const SourceNode& source) {
    Delivery delivery;
    delivery.what = "dead letters of " + node.stream;
    delivery.exactly_once = source.connector != "stdin";
    delivery.reasons.push_back("`" + node.stream + "` " + read_reason(source));
    if (uses_log_) {
      delivery.place = place_of("kafka", source.dead_letter);
      delivery.reasons.push_back(
          "written in the Kafka transaction of the epoch, with its output and positions");
    } else {
      delivery.place = place_of("file", source.dead_letter + ".jsonl");
      delivery.reasons.push_back(
          "written to the state directory in front of the commit, and cut back as a file sink is");
    }
    if (uses_log_) delivery.dev = "not kept";
    add_dev(source.connector == "kafka", delivery);
    all_.push_back(std::move(delivery));
  }

  // An embedded log is gone with its process.
  static void add_dev(bool from_log, Delivery& delivery) {
    if (!from_log) return;
    delivery.dev += (delivery.dev.empty() ? "" : "; ") +
                    std::string("each run reads data/<source>.jsonl from the beginning");
  }

  const Graph& graph_;
  bool uses_log_ = false;
  std::vector<Delivery> all_;
};

}  // namespace

std::vector<Delivery> deliveries(const Graph& graph) { return DeliveryFinder(graph).run(); }

std::string print_delivery(const Graph& graph) {
  std::string text;
  for (const Delivery& delivery : deliveries(graph)) {
    text += delivery.what + " -> " + delivery.place + "  " +
            (delivery.exactly_once ? "exactly once" : "at most once") + "\n";
    for (const std::string& reason : delivery.reasons) text += "  " + reason + "\n";
    if (!delivery.dev.empty()) text += "  --dev: " + delivery.dev + "\n";
  }
  return text;
}

}  // namespace weir::compiler
