// Stands in for VS Code's native log writer, @vscode/spdlog, so that setting up needs no compiler. Output channels of
// extensions are files that it writes; without it they stay empty. (scripts/setup-vscode puts it there.)

const fs = require("node:fs");
const path = require("node:path");

const LEVELS = ["trace", "debug", "info", "warn", "error", "critical"];

class Logger {
  constructor(_kind, _name, file) {
    this.file = file;
    this.bare = false;
    this.level = 0;
    fs.mkdirSync(path.dirname(file), { recursive: true });
  }

  // The pattern that VS Code asks for is the only one there is; without it a text is written as it came.
  setPattern() {}
  clearFormatters() {
    this.bare = true;
  }
  setLevel(level) {
    this.level = level;
  }
  getLevel() {
    return this.level;
  }
  flush() {}
  drop() {}

  write(level, text) {
    if (level < this.level) return;
    const time = new Date().toISOString().replace("T", " ").replace("Z", "");
    const line = this.bare ? text : `${time} [${LEVELS[level].replace("warn", "warning")}] ${text}\n`;
    // A log may be written to after its folder went, when everything ends at once.
    fs.appendFile(this.file, line, () => {});
  }
}

LEVELS.forEach((name, level) => {
  Logger.prototype[name] = function (text) {
    this.write(level, text);
  };
});

const createLogger = async (name, file) => new Logger("rotating_async", name, file);

// One by one: VS Code imports them by name, and Node finds the names of a CommonJS module by reading its text.
exports.version = 0;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.Logger = Logger;
exports.createRotatingLogger = createLogger;
exports.createAsyncRotatingLogger = createLogger;
