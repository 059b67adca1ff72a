// The life of the server: found, started, restarted, stopped. A failure to start is told once, with its cure.

import { createInterface } from "node:readline";
import * as vscode from "vscode";
import {
  ClientCapabilities,
  CloseAction,
  DefinitionRequest,
  DidChangeConfigurationNotification,
  LanguageClient,
  LanguageClientOptions,
  RevealOutputChannelOn,
  State,
  StaticFeature,
} from "vscode-languageclient/node";
import { HyCells } from "./cells";
import { serverCommand } from "./locate";
import { Run } from "./run";
import { answerConfiguration, settingsForServer } from "./settings";
import { Status } from "./status";

const INSTALL = "pip install minotauro";

export class Server {
  private client: MinoClient | undefined;
  private stopping: Promise<void> | undefined;
  readonly cells = new HyCells(() => (this.client?.isRunning() ? this.client : undefined));
  private readonly output = vscode.window.createOutputChannel("Mino", { log: true });

  constructor(
    private readonly run: Run,
    private readonly status: Status,
  ) {}

  async start(): Promise<void> {
    const command = serverCommand();
    if (!Array.isArray(command)) return this.tellFailure(command.missing);
    const client = new MinoClient(command, this.output, this.options());
    this.client = client;
    client.registerFeature(new OutputCapability());
    client.onNotification("mino/output", (output) => this.run.append(output));
    client.onNotification("mino/report", () => this.cells.changed());
    client.onNotification("mino/status", (status) => this.status.show(status));
    client.onDidChangeState(({ newState }) => {
      if (this.client !== client) return;
      if (newState === State.StartFailed) this.tellFailure(`Mino's language server, ${command.join(" ")}, did not start`);
      if (newState === State.Running) this.status.show({ state: "idle" });
      if (newState === State.Stopped) this.status.show({ state: "down" });
    });
    // The state change above has told the failure.
    await client.start().catch(() => undefined);
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client?.isRunning()) await client.stop();
    else client?.serverProcess?.kill();
    this.status.hide();
  }

  /** However often it is asked for while the old server ends, one new one is started. */
  async restart(): Promise<void> {
    this.stopping ??= this.stop().finally(() => {
      this.stopping = undefined;
      return this.start();
    });
    await this.stopping;
  }

  /** Has the server carry out one of its commands; undefined where there is no server, which is then said. */
  async execute<T>(command: string, argument: object): Promise<T | undefined> {
    if (this.client?.isRunning()) return vscode.commands.executeCommand<T>(command, argument);
    const restart = "Restart Server";
    const answer = await vscode.window.showErrorMessage("Mino's language server is not running.", restart, "Show Output");
    if (answer === restart) await this.restart();
    else if (answer) this.showOutput();
    return undefined;
  }

  /** Where what stands at a place of an expansion comes from. */
  async definition(uri: vscode.Uri, position: vscode.Position): Promise<vscode.Location[]> {
    const client = this.client;
    if (!client?.isRunning()) return [];
    const answer = await client.sendRequest(DefinitionRequest.type, {
      textDocument: { uri: client.code2ProtocolConverter.asUri(uri) },
      position: client.code2ProtocolConverter.asPosition(position),
    });
    const found = await client.protocol2CodeConverter.asDefinitionResult(answer);
    return [found ?? []].flat() as vscode.Location[];
  }

  showOutput(): void {
    this.output.show(true);
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: [
        { language: "hy", scheme: "file" },
        { language: "hy", scheme: "untitled" },
        { language: "hy", scheme: "vscode-notebook-cell" },
      ],
      outputChannel: this.output,
      // A command that fails rejects, and VS Code then tells the reason; the library would tell it a second time.
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: settingsForServer,
      initializationFailedHandler: () => false,
      synchronize: { configurationSection: "mino" },
      middleware: {
        workspace: {
          configuration: answerConfiguration,
          didChangeConfiguration: async () =>
            this.client?.sendNotification(DidChangeConfigurationNotification.type, {
              settings: { mino: settingsForServer() },
            }),
        },
        executeCommand: (command, args, next) =>
          command === "mino.run" ? this.run.around(args, () => next(command, args)) : next(command, args),
      },
      stdioOptions: {
        stdout: () => undefined,
        // A server logs to stderr what is no error, so its lines are shown as they come.
        stderr: (lines, channel) => createInterface({ input: lines }).on("line", (line) => channel.info(line)),
      },
    };
  }

  private tellFailure(what: string): void {
    const [setting, output] = ["Open Setting", "Show Output"];
    this.status.show({ state: "down", message: what });
    void vscode.window
      .showErrorMessage(`${what}. To install it: ${INSTALL}`, setting, output)
      .then((answer) => {
        if (answer === setting) void vscode.commands.executeCommand("workbench.action.openSettings", "mino.server.command");
        if (answer === output) this.showOutput();
      });
  }
}

/** A client that leaves failures to start to its owner, where the library would show messages of its own. */
class MinoClient extends LanguageClient {
  constructor([program, ...args]: string[], output: vscode.LogOutputChannel, options: LanguageClientOptions) {
    super("mino", "Mino", { command: program, args }, options);
    const usual = this.createDefaultErrorHandler();
    this.clientOptions.errorHandler = {
      error: (error, message, count) => usual.error(error, message, count),
      closed: () =>
        this.state === State.Running ? usual.closed() : { action: CloseAction.DoNotRestart, handled: true },
    };
    output.info(`Starting ${[program, ...args].join(" ")}`);
  }

  override error(message: string, data?: unknown, show?: boolean | "force"): void {
    super.error(message, data, this.state === State.Running ? show : false);
  }
}

/** Says to the server that a program's output is to come as mino/output rather than as log lines. */
class OutputCapability implements StaticFeature {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    capabilities.experimental = { ...(capabilities.experimental as object), minoOutput: true };
  }
  initialize(): void {}
  getState() {
    return { kind: "static" as const };
  }
  clear(): void {}
}
