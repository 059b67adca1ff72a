// The extension's tests: the suite in VS Code against the real server, the same suite against a server that says
// nothing (each of its checks must fail there), what a user sees who has no server at all, and what a server is told
// in a workspace that VS Code trusts and in one that it doesn't.
// Its exit code and last lines say what came of it.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ROOT, startVSCode, TOOLS } from "./vscode.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const REAL = process.env.MINO_LSP ?? path.join(ROOT, ".venv/bin/mino-lsp");
const SILENT = path.join(HERE, "silent_server.mjs");

// Within it a suite ends, or VS Code hangs: not how long one should take, on a machine that may be slow and cold.
const SUITE_SECONDS = 300;

const results = [];
const note = (title, error, seconds) => {
  results.push({ title, error });
  console.log(`${error ? "✗" : "✓"} ${title} (${seconds.toFixed(1)} s)`);
  if (error) console.log(error.replace(/^/gm, "    "));
};

const checks = await against("the real server", [REAL, "--stdio"], 30);
for (const check of checks) note(check.title, check.error, check.seconds);
const controls = await against("a silent server", [process.execPath, SILENT], 1.5);
// By title: a suite that failed before its first check would else look like a control that holds.
for (const { title } of checks) {
  const control = controls.find((one) => one.title === title);
  const error = control === undefined ? "It did not run." : control.error ? undefined : "It passed.";
  note(`fails without a server's answers: ${title}`, error, control?.seconds ?? 0);
}
await withoutServer("a server", ["no-such-mino-lsp"]);
await withoutServer("a server that starts", [process.execPath, "-e", "process.exit(1)"]);
await initialized({ restricted: false, trust: "ask" }, { trust: "ask", python: "/workspace/python" });
await initialized({ restricted: true, trust: "full" }, { trust: "none", python: "" });

const failed = results.filter(({ error }) => error);
console.log(`${results.length - failed.length} passed, ${failed.length} failed`);
for (const { title, error } of failed) console.log(`✗ ${title}: ${error.split("\n", 1)[0]}`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** What came of the suite's checks, each of which waits for `seconds` at most. */
async function against(name, command, seconds) {
  const report = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "mino-vscode-report-")), "results.json");
  const start = Date.now();
  const code = await startVSCode({
    files: programs(),
    settings: { "mino.server.command": command, "mino.trust": "full", "mino.device": "cpu" },
    // Without it VS Code doesn't look at the payload's extensionTestsPath.
    flags: ["--enable-smoke-test-driver"],
    env: { MINO_TEST_RESULTS: report, MINO_TEST_TOOLS: path.dirname(TOOLS), MINO_TEST_LIMIT: String(seconds * 1000) },
  });
  try {
    let ended;
    const end = new Promise((resolve) => (ended = resolve));
    await code.open(
      [
        ["extensionDevelopmentPath", code.remote(code.extension)],
        ["extensionTestsPath", code.remote(path.join(HERE, "suite/index.cjs"))],
        ["skipWelcome", "true"],
      ],
      async (page) => {
        await page.exposeFunction("codeAutomationLog", () => {});
        await page.exposeFunction("codeAutomationExit", ended);
      },
    );
    await Promise.race([end, sleep(SUITE_SECONDS * 1000, undefined, { ref: false })]);
    const results = fs.existsSync(report) ? JSON.parse(fs.readFileSync(report, "utf8")) : [];
    if (results.length === 0) note(`the suite with ${name}`, "It did not run.", 0);
    return results;
  } finally {
    await code.close();
    fs.rmSync(path.dirname(report), { recursive: true });
    console.log(`VS Code with ${name}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
  }
}

async function withoutServer(what, command) {
  const start = Date.now();
  const code = await startVSCode({ files: programs(), settings: { "mino.server.command": command } });
  let error;
  try {
    const page = await code.open([["openFile", code.remote(path.join(code.folder, "feed_forward.hy"))]]);
    const toasts = page.locator(".notifications-toasts .notification-list-item");
    await toasts.filter({ hasText: "pip install minotauro" }).first().waitFor({ timeout: 60000 });
    // A second message would come at once; and toasts slide in.
    await page.waitForTimeout(2000);
    const texts = await toasts.allInnerTexts();
    if (texts.length !== 1) error = `It was told ${texts.length} times: ${texts.join(" — ")}`;
  } catch (failure) {
    error = String(failure);
  } finally {
    await code.close();
  }
  note(`without ${what}, one message says how to install it`, error, (Date.now() - start) / 1000);
}

/** The server's first message, where the user's trust is `trust` and the workspace would choose it and the interpreter. */
async function initialized({ restricted, trust }, expected) {
  const start = Date.now();
  const heard = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "mino-vscode-heard-")), "initialize.json");
  const code = await startVSCode({
    files: { ...programs(), ".vscode/settings.json": '{"mino.python": "/workspace/python", "mino.trust": "full"}' },
    settings: { "mino.server.command": [process.execPath, SILENT], "mino.trust": trust },
    env: { MINO_TEST_HEARD: heard },
    restricted,
  });
  let error;
  try {
    await code.open([["openFile", code.remote(path.join(code.folder, "feed_forward.hy"))]]);
    for (const end = Date.now() + 60000; !fs.existsSync(heard) && Date.now() < end; ) await sleep(100);
    const { initializationOptions, capabilities } = JSON.parse(fs.readFileSync(heard, "utf8"));
    const told = { trust: initializationOptions.trust, python: initializationOptions.python };
    if (JSON.stringify(told) !== JSON.stringify(expected)) error = `It was told ${JSON.stringify(told)}.`;
    if (!capabilities.experimental?.minoOutput) error = "It was not told that mino/output is understood.";
  } catch (failure) {
    error = String(failure);
  } finally {
    await code.close();
    fs.rmSync(path.dirname(heard), { recursive: true });
  }
  const where = restricted ? "Restricted Mode" : "a trusted workspace";
  note(`in ${where} the server is told ${JSON.stringify(expected)}`, error, (Date.now() - start) / 1000);
}

function programs() {
  const example = (name) => fs.readFileSync(path.join(ROOT, "examples", name), "utf8");
  const broken = example("spec_network.hy").replace("(torch.empty #(f-out))", "(torch.empty #(1 f-out))");
  if (!broken.includes("#(1 f-out)")) throw new Error("examples/spec_network.hy has no #(f-out) to break");
  const forever = '(import time)\n(while True\n  (print "going on" :flush True)\n  (time.sleep 0.1))\n';
  const nan = "(import torch)\n(setv x (/ (torch.zeros 2) 0))\n";
  const cells = [
    ["markdown", "# Words"],
    ["code", "%load_ext mino\nimport torch"],
    ["code", "(import torch [nn])\n(require mino.mu * mino.thread *)\n(defmu Net [x layer]\n  (-> x\n      layer))", "hy"],
    ["code", "(setv net (Net :layer (nn.Linear 4 3)))\n(net (torch.zeros 2 4))", "hy"],
    ["code", "%%hy\n(let [a 1] (display net))"],
  ];
  const notebook = {
    nbformat: 4,
    nbformat_minor: 2,
    metadata: { language_info: { name: "python" } },
    cells: cells.map(([cell_type, source, languageId]) => ({
      cell_type,
      source,
      metadata: languageId ? { vscode: { languageId } } : {},
      ...(cell_type === "code" ? { execution_count: null, outputs: [] } : {}),
    })),
  };
  return {
    "cells.ipynb": JSON.stringify(notebook),
    "feed_forward.hy": example("feed_forward.hy"),
    "broken.hy": broken,
    "forever.hy": forever,
    "nan.hy": nan,
  };
}
