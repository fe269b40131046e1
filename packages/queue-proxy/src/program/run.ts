import {
  IdleMemory,
  JsonLogger,
  LineWriter,
  RealClock,
  RealRandom,
  type Telemetry,
  type TelemetryOptions,
} from "@rouse/shared";
import { ConfigError } from "../config/config-error.ts";
import { type Config, type Environment, parseConfig, parseLogConfig } from "../config.ts";
import type { Tracing } from "../trace/tracing.ts";
import { Sidecar } from "./sidecar.ts";

/** The process as `main.ts` has it. */
export interface ProcessHooks {
  readonly environment: Environment;
  readonly exit: (code: number) => void;
  /** Calls `run` at each signal that asks the process to end. */
  readonly onSignal: (run: () => void) => void;
  /** Calls `report` with what nobody has caught: one request's bug is not the process's end. Spec §13 */
  readonly onUnhandled: (report: (reason: unknown) => void) => void;
  readonly loadTelemetry: (options: TelemetryOptions) => Promise<Telemetry<Tracing>>;
}

/** A sidecar is small: collecting takes it 20 ms. */
const MEMORY = { busyRatioMax: 0.05, returnedBytesMin: 4 * 1024 * 1024 };

/** One sidecar from its environment to its exit code: 0 after a signal, 1 for everything else. */
export async function run(hooks: ProcessHooks): Promise<void> {
  const { environment, exit, onSignal, onUnhandled, loadTelemetry } = hooks;
  const clock = new RealClock();
  const stdout = new LineWriter(1);
  const stderr = new LineWriter(2);
  const logConfig = parseLogConfig(environment);
  const log = JsonLogger.create(
    {
      clock,
      write: (line) => (logConfig.logging.output === "stdout" ? stdout : stderr).write(line),
      logging: logConfig.logging,
      program: { name: "queueproxy", caller: "queue-proxy/main.cjs" },
    },
    { revision: logConfig.key, "knative.dev/pod": logConfig.podName },
  );
  onUnhandled((reason) => {
    log.error("nobody caught this", {
      error: reason instanceof Error ? (reason.stack ?? reason.message) : String(reason),
    });
  });
  const end = (code: number): void => {
    stdout.flush();
    stderr.flush();
    exit(code);
  };
  try {
    const config: Config = parseConfig(environment);
    if (logConfig.logging.complaint !== undefined) log.warn(logConfig.logging.complaint);
    const isDebugging = logConfig.logging.level === "debug";
    const deps = { clock, random: new RealRandom(), log, environment, loadTelemetry, isDebugging };
    const starting = Sidecar.start({ ...deps, writeRequest: (line) => stdout.write(line) }, config);
    const memory = new DisposableStack();
    let signals = 0;
    onSignal(() => {
      memory.dispose();
      if (++signals > 1) {
        end(1);
        return;
      }
      void starting.then((sidecar) => sidecar.end()).then(() => end(0));
    });
    await starting;
    if (!memory.disposed) memory.use(new IdleMemory({ clock, log }, MEMORY));
  } catch (error) {
    if (error instanceof ConfigError && error.kind === "environment") stderr.write(`${error.message}\n`);
    else log.fatal(error instanceof Error ? error.message : String(error));
    end(1);
  }
}
