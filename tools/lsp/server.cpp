#include "tools/lsp/server.h"

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "dsl/fix.h"
#include "dsl/format.h"
#include "dsl/line_diff.h"
#include "tools/lsp/completion.h"
#include "tools/lsp/message.h"
#include "tools/lsp/names.h"

namespace weir::lsp {

namespace {

constexpr int kParseError = -32700, kInvalidRequest = -32600, kMethodNotFound = -32601,
              kInvalidParams = -32602, kRequestFailed = -32803, kNotInitialized = -32002;

// "file:///a%20b.weir" → "/a b.weir".
std::string path_of(std::string_view uri) {
  if (uri.starts_with("file://")) uri.remove_prefix(7);
  std::string path;
  auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  for (size_t i = 0; i < uri.size(); ++i) {
    bool escape =
        uri[i] == '%' && i + 2 < uri.size() && digit(uri[i + 1]) >= 0 && digit(uri[i + 2]) >= 0;
    path += escape ? char(digit(uri[i + 1]) * 16 + digit(uri[i + 2])) : uri[i];
    if (escape) i += 2;
  }
  return path;
}

std::string uri_of(std::string_view path) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string uri = "file://";
  for (char c : path) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 std::string_view("/-_.~").find(c) != std::string_view::npos;
    if (plain)
      uri += c;
    else
      uri += {'%', kDigits[uint8_t(c) >> 4], kDigits[uint8_t(c) & 15]};
  }
  return uri;
}

class Server {
 public:
  Server(int in, int out) : reader_(in), out_(out) {}

  int run() {
    while (auto message = reader_.next()) {
      if (!message->is_object()) {
        fail(nullptr, kParseError, "this is not a message");
        continue;
      }
      json id = message->contains("id") ? (*message)["id"] : json();
      std::string method = message->value("method", "");
      if (method == "exit") return shut_down_ ? 0 : 1;
      if (method.empty()) continue;  // an answer: nothing is ever asked
      try {
        handle(method, id, message->value("params", json::object()));
      } catch (const json::exception&) {
        // What a message lacks, or has of another type.
        if (!id.is_null()) fail(id, kInvalidParams, "`" + method + "` wants other parameters");
      }
      if (!reader_.has_more()) publish();
    }
    return shut_down_ ? 0 : 1;
  }

 private:
  struct Document {
    std::string uri, path, text;
    std::unique_ptr<Analysis> analysis;  // of `text`, once somebody has asked
  };

  void handle(const std::string& method, const json& id, const json& params) {
    using Answer = json (Server::*)(const json&);
    static const std::map<std::string, Answer> kRequests = {
        {"initialize", &Server::initialize},
        {"shutdown", &Server::shutdown},
        {"textDocument/hover", &Server::hover},
        {"textDocument/completion", &Server::completion},
        {"textDocument/definition", &Server::definition},
        {"textDocument/references", &Server::references},
        {"textDocument/prepareRename", &Server::prepare_rename},
        {"textDocument/rename", &Server::rename},
        {"textDocument/formatting", &Server::formatting},
        {"textDocument/codeAction", &Server::code_action},
    };
    static const std::map<std::string, void (Server::*)(const json&)> kNotifications = {
        {"textDocument/didOpen", &Server::open},
        {"textDocument/didChange", &Server::change},
        {"textDocument/didSave", &Server::save},
        {"textDocument/didClose", &Server::close},
    };
    if (auto notified = kNotifications.find(method); notified != kNotifications.end())
      return (this->*notified->second)(params);
    if (id.is_null()) return;  // a notification that we need not know
    auto request = kRequests.find(method);
    if (request == kRequests.end())
      return fail(id, kMethodNotFound, "there is no `" + method + "` here");
    if (shut_down_) return fail(id, kInvalidRequest, "the session is over");
    if (!initialized_ && method != "initialize")
      return fail(id, kNotInitialized, "`initialize` comes first");
    why_not_.clear();
    json result = (this->*request->second)(params);
    if (!why_not_.empty()) return fail(id, kRequestFailed, why_not_);
    write_message(out_, {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}});
  }

  void fail(const json& id, int code, const std::string& why) {
    write_message(out_,
                  {{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", why}}}});
  }

  json initialize(const json&) {
    initialized_ = true;
    return {{"serverInfo", {{"name", "weir"}}},
            {"capabilities",
             {{"positionEncoding", "utf-16"},
              {"textDocumentSync", {{"openClose", true}, {"change", 1}, {"save", true}}},
              {"hoverProvider", true},
              {"completionProvider", {{"triggerCharacters", {".", "|", " "}}}},
              {"definitionProvider", true},
              {"referencesProvider", true},
              {"renameProvider", {{"prepareProvider", true}}},
              {"documentFormattingProvider", true},
              {"codeActionProvider", {{"codeActionKinds", {"quickfix", "source.fixAll"}}}}}}};
  }

  json shutdown(const json&) {
    shut_down_ = true;
    return nullptr;
  }

  // ---------------------------------------------------------------- documents

  void open(const json& params) {
    const json& item = params.at("textDocument");
    std::string uri = item.at("uri");
    documents_[uri] = {uri, path_of(uri), item.at("text"), nullptr};
    changed();
  }
  void change(const json& params) {
    auto found = documents_.find(params.at("textDocument").at("uri").get<std::string>());
    if (found == documents_.end()) return;
    // The whole text each time, as was agreed.
    for (const json& change : params.at("contentChanges"))
      found->second.text = change.at("text").get<std::string>();
    changed();
  }
  void save(const json&) { changed(); }
  void close(const json& params) {
    std::string uri = params.at("textDocument").at("uri");
    documents_.erase(uri);
    unpublished_.erase(uri);
    write_message(out_, notification("textDocument/publishDiagnostics",
                                     {{"uri", uri}, {"diagnostics", json::array()}}));
    changed();
  }
  // One may import another.
  void changed() {
    for (auto& [uri, document] : documents_) {
      document.analysis.reset();
      unpublished_.insert(uri);
    }
  }

  Document* document(const json& params) {
    auto found = documents_.find(params.at("textDocument").at("uri").get<std::string>());
    if (found != documents_.end()) return &found->second;
    why_not_ = "this file is not open";
    return nullptr;
  }

  const Analysis& analysis(Document& document) {
    if (!document.analysis)
      document.analysis = std::make_unique<Analysis>(document.path, document.text, reader());
    return *document.analysis;
  }

  // Imported files, as the editor has them or as they are on disk.
  compiler::ReadFile reader() const {
    return [this](const std::string& path, std::string* why) -> std::optional<std::string> {
      for (const auto& [uri, document] : documents_) {
        if (document.path == path) return document.text;
      }
      std::ifstream in(path, std::ios::binary);
      if (!in) {
        *why = "`" + path + "` can't be read";
        return std::nullopt;
      }
      std::ostringstream text;
      text << in.rdbuf();
      return text.str();
    };
  }

  // ---------------------------------------------------------------- diagnostics

  static json notification(const char* method, json params) {
    return {{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}};
  }

  void publish() {
    for (const std::string& uri : unpublished_) {
      auto found = documents_.find(uri);
      if (found == documents_.end()) continue;
      const Analysis& now = analysis(found->second);
      json all = json::array();
      for (const dsl::Diagnostic& diagnostic : now.diagnostics().sorted())
        all.push_back(diagnostic_json(now, diagnostic));
      write_message(out_, notification("textDocument/publishDiagnostics",
                                       {{"uri", uri}, {"diagnostics", std::move(all)}}));
    }
    unpublished_.clear();
  }

  static json diagnostic_json(const Analysis& now, const dsl::Diagnostic& diagnostic) {
    std::string message = diagnostic.message;
    json related = json::array();
    for (const dsl::Note& note : diagnostic.notes) {
      if (note.span)
        related.push_back({{"location", location(now, *note.span)}, {"message", note.text}});
      else
        message += "\n" + note.text;
    }
    if (!diagnostic.fix_text.empty()) message += "\nfix: " + diagnostic.fix_text;
    dsl::Span span = diagnostic.span;
    if (span.file != 0) {
      // What is wrong in a file that is imported is shown where it is.
      message = now.sources().file(span.file).path() + ": " + message;
      span = {0, 0, 0};
      for (const dsl::Declaration& declaration : now.program().declarations) {
        if (std::holds_alternative<dsl::ImportDecl>(declaration.node) && declaration.span.file == 0)
          span = declaration.span;
      }
    }
    json made{{"range", now.range(span)},
              {"severity", dsl::info(diagnostic.code).severity == dsl::Severity::Error ? 1 : 2},
              {"code", dsl::code_text(diagnostic.code)},
              {"source", "weir"},
              {"message", message}};
    if (!related.empty()) made["relatedInformation"] = std::move(related);
    return made;
  }

  static json location(const Analysis& now, dsl::Span span) {
    return {{"uri", uri_of(now.sources().file(span.file).path())}, {"range", now.range(span)}};
  }

  // ---------------------------------------------------------------- requests

  json hover(const json& params) {
    Document* open = document(params);
    if (!open) return nullptr;
    const Analysis& now = analysis(*open);
    std::string text = hover_text(now, now.offset(params.at("position")));
    if (text.empty()) return nullptr;
    return {{"contents", {{"kind", "markdown"}, {"value", text}}}};
  }

  json completion(const json& params) {
    Document* open = document(params);
    if (!open) return nullptr;
    uint32_t offset = analysis(*open).offset(params.at("position"));
    json items = json::array();
    for (const Proposal& proposal : complete(open->path, open->text, offset, reader())) {
      // CompletionItemKind: keyword, field, function, variable, struct, property, value.
      static constexpr int kKinds[] = {14, 5, 3, 6, 22, 10, 12};
      json item{{"label", proposal.label}, {"kind", kKinds[size_t(proposal.kind)]}};
      if (!proposal.detail.empty()) item["detail"] = proposal.detail;
      if (!proposal.text.empty())
        item["documentation"] = {{"kind", "markdown"}, {"value", proposal.text}};
      items.push_back(std::move(item));
    }
    return {{"isIncomplete", false}, {"items", std::move(items)}};
  }

  // The name at the place, or nothing.
  std::optional<size_t> name(const Analysis& now, const json& params) {
    return now.name_at(now.offset(params.at("position")));
  }

  json definition(const json& params) {
    Document* open = document(params);
    if (!open) return nullptr;
    const Analysis& now = analysis(*open);
    auto token = name(now, params);
    auto declared = token ? declaration_place(now, *token) : std::nullopt;
    return declared ? location(now, *declared) : json();
  }

  json references(const json& params) {
    Document* open = document(params);
    if (!open) return nullptr;
    const Analysis& now = analysis(*open);
    auto token = name(now, params);
    auto declared = token ? declaration_place(now, *token) : std::nullopt;
    if (!declared) return json::array();
    bool with_declaration =
        params.value("context", json::object()).value("includeDeclaration", true);
    json all = json::array();
    for (const dsl::Span& place : places_of(now, *declared)) {
      bool declares = place.file == declared->file && place.begin == declared->begin;
      if (with_declaration || !declares) all.push_back(location(now, place));
    }
    return all;
  }

  json prepare_rename(const json& params) {
    Document* open = document(params);
    if (!open) return nullptr;
    const Analysis& now = analysis(*open);
    auto token = name(now, params);
    if (!token || !declaration_place(now, *token)) return nullptr;
    return now.range(now.tokens()[*token].span);
  }

  json rename(const json& params) {
    Document* open = document(params);
    if (!open) return nullptr;
    const Analysis& now = analysis(*open);
    auto token = name(now, params);
    if (!token) {
      why_not_ = "there is no name here";
      return nullptr;
    }
    Renamed made = renamed(now, *token, params.at("newName"), reader());
    if (!made.why_not.empty()) {
      why_not_ = made.why_not;
      return nullptr;
    }
    json edits = json::array();
    for (const Renamed::Edit& edit : made.edits)
      edits.push_back({{"range", now.range(edit.span)}, {"newText", edit.text}});
    return {{"changes", {{open->uri, std::move(edits)}}}};
  }

  static json whole(const Analysis& now, const std::string& text) {
    uint32_t end = uint32_t(now.file().text().size());
    return {{"range", now.range({0, end, 0})}, {"newText", text}};
  }

  json formatting(const json& params) {
    Document* open = document(params);
    if (!open) return nullptr;
    const Analysis& now = analysis(*open);
    dsl::Diagnostics unheard;
    auto text = dsl::format(now.sources(), 0, unheard);
    if (!text) {
      why_not_ = "a program with syntax errors can't be formatted";
      return nullptr;
    }
    if (*text == now.file().text()) return json::array();
    return json::array({whole(now, *text)});
  }

  json code_action(const json& params) {
    Document* open = document(params);
    if (!open) return nullptr;
    const Analysis& now = analysis(*open);
    uint32_t begin = now.offset(params.at("range").at("start")),
             end = now.offset(params.at("range").at("end"));
    json actions = json::array();
    size_t fixes = 0;
    for (const dsl::Diagnostic& diagnostic : now.diagnostics().sorted()) {
      if (!diagnostic.fix || diagnostic.fix->span.file != 0) continue;
      ++fixes;
      if (diagnostic.span.begin > end || diagnostic.span.end < begin) continue;
      dsl::FixedLines lines = dsl::fixed_lines(now.file(), *diagnostic.fix);
      std::string title = lines.text.substr(0, lines.text.find('\n'));
      actions.push_back(
          {{"title", "fix: " + title},
           {"kind", "quickfix"},
           {"isPreferred", true},
           {"diagnostics", json::array({diagnostic_json(now, diagnostic)})},
           {"edit",
            {{"changes",
              {{open->uri, json::array({{{"range", now.range(diagnostic.fix->span)},
                                         {"newText", diagnostic.fix->replacement}}})}}}}}});
    }
    if (fixes > 0) {
      dsl::Fixed fixed = dsl::apply_fixes(now.sources(), 0, now.diagnostics());
      actions.push_back(
          {{"title", "apply all fixes"},
           {"kind", "source.fixAll"},
           {"edit", {{"changes", {{open->uri, json::array({whole(now, fixed.text)})}}}}}});
    }
    return actions;
  }

  MessageReader reader_;
  int out_;
  bool initialized_ = false, shut_down_ = false;
  std::string why_not_;  // of the request that is being answered
  std::map<std::string, Document> documents_;
  std::set<std::string> unpublished_;
};

}  // namespace

int serve(int in, int out) { return Server(in, out).run(); }

}  // namespace weir::lsp
