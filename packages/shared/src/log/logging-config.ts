import { JsonObject } from "../knative/json-object.ts";

export const LEVELS = ["debug", "info", "warn", "error", "dpanic", "panic", "fatal"] as const;
export type Level = (typeof LEVELS)[number];

/** How a process log is written. */
export interface LoggingConfig {
  readonly level: Level;
  readonly output: "stdout" | "stderr";
  /** Key of each standard field; empty leaves it out. */
  readonly keys: {
    readonly message: string;
    readonly level: string;
    readonly time: string;
    readonly name: string;
    readonly caller: string;
    readonly stacktrace: string;
  };
  readonly levelStyle: "cloud" | "lowercase" | "capital";
  readonly timeStyle: "rfc3339nano" | "iso8601" | "rfc3339" | "epoch" | "millis" | "nanos";
  /** Per second: the first `initial` of one message, then every `thereafter`th. Absent: all. */
  readonly sampling: { readonly initial: number; readonly thereafter: number } | undefined;
  /** What was wrong with the configuration; said once the log is up, never fatal. */
  readonly complaint: string | undefined;
}

const DEFAULTS: LoggingConfig = {
  level: "info",
  output: "stderr",
  keys: {
    message: "message",
    level: "severity",
    time: "timestamp",
    name: "logger",
    caller: "caller",
    stacktrace: "stacktrace",
  },
  levelStyle: "cloud",
  timeStyle: "rfc3339nano",
  sampling: { initial: 100, thereafter: 100 },
  complaint: undefined,
};
const TIME_STYLES: Readonly<Record<string, LoggingConfig["timeStyle"]>> = {
  rfc3339nano: "rfc3339nano",
  rfc3339: "rfc3339",
  iso8601: "iso8601",
  millis: "millis",
  nanos: "nanos",
};

/**
 * A zap configuration, as far as it is about level, output and key names; encodings other than JSON are taken for JSON
 * . One that cannot be read is the default one with a complaint.
 * @param level overrides the level inside `config`; one that is none is ignored
 */
export function parseLogging(config: string, level: string): LoggingConfig {
  const parsed = config === "" ? DEFAULTS : zapConfig(config);
  const override = levelOf(level);
  return override === undefined ? parsed : { ...parsed, level: override };
}

function zapConfig(config: string): LoggingConfig {
  try {
    const all = JsonObject.of(JSON.parse(config), "the document");
    const encoder = all.object("encoderConfig");
    const outputs = all.raw("outputPaths");
    return {
      level: levelOf(all.text("level", "info")) ?? "info",
      output: Array.isArray(outputs) && outputs[0] === "stdout" ? "stdout" : "stderr",
      // What zap is not told the name of, it leaves out.
      keys: {
        message: encoder.text("messageKey", ""),
        level: encoder.text("levelKey", ""),
        time: encoder.text("timeKey", ""),
        name: encoder.text("nameKey", ""),
        caller: encoder.text("callerKey", ""),
        stacktrace: encoder.text("stacktraceKey", ""),
      },
      levelStyle: encoder.text("levelEncoder", "").startsWith("capital") ? "capital" : "lowercase",
      timeStyle: TIME_STYLES[encoder.text("timeEncoder", "").toLowerCase()] ?? "epoch",
      sampling: samplingOf(all),
      complaint: undefined,
    };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) {
      return { ...DEFAULTS, complaint: `Failed to parse the logging config: ${error.message}` };
    }
    throw error;
  }
}

function samplingOf(all: JsonObject): LoggingConfig["sampling"] {
  if (!all.has("sampling")) return undefined;
  const sampling = all.object("sampling");
  return { initial: sampling.number("initial", 0), thereafter: sampling.number("thereafter", 0) };
}

/** `undefined` for a text that names none. */
export function levelOf(text: string): Level | undefined {
  return LEVELS.find((level) => level === text.toLowerCase());
}
