// Starts `weir lsp` for files of the language `weir`. All else is the server's.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = () => {
  const command = workspace.getConfiguration("weir").get("command");
  client = new LanguageClient(
    "weir",
    "Weir",
    { command, args: ["lsp"] },
    { documentSelector: [{ scheme: "file", language: "weir" }] },
  );
  return client.start();
};

exports.deactivate = () => client?.stop();
