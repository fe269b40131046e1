import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  assertSocketFree,
  type Home,
  type HomeDeps,
  type HomeOptions,
  HttpFace,
  type ManifestObject,
  SocketInUseError,
} from "@rouse/embedded";
import {
  type Clock,
  KnativeServiceKind,
  type Logger,
  monoOriginMs,
  type ObjectKey,
  objectKey,
  type Random,
  revisionKey,
} from "@rouse/shared";
import { socketPath } from "../api/socket-path.ts";
import { EXPLAIN_PAGE, type ExplainAnswer } from "../explain/explain.ts";
import { Failure, systemCode } from "../failure.ts";
import { applyAll } from "../objects/apply-all.ts";
import { objectName } from "../objects/kind-names.ts";
import type { Output } from "../output.ts";
import { banner, serviceLines } from "./banner.ts";
import type { Load } from "./revision-view.ts";
import { World } from "./world.ts";

/** Paint for a terminal; plain text where there is none. */
export type Colors = Readonly<Record<"dim" | "cyan", (text: string) => string>>;

/** The part of the embedded home this command needs. */
export type RunningHome = Pick<
  Home,
  "client" | "api" | "gateway" | "snapshot" | "timeline" | "explain" | "close"
>;
export type StartHome = (deps: HomeDeps, options: HomeOptions) => Promise<RunningHome>;

export interface UpDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly output: Output;
  readonly colors: Colors;
  readonly startHome: StartHome;
  /** Aborted when it is time to end. */
  readonly stop: AbortSignal;
}

export interface UpOptions {
  readonly version: string;
  readonly cwd: string;
  readonly objects: readonly ManifestObject[];
  readonly port: number;
  readonly tlsPort?: number;
  readonly dataDir: string;
  readonly isEphemeral: boolean;
}

/** Longest a shutdown may take; what is left then ends with the process. */
const CLOSE_MS_MAX = 2_500;
const LISTEN = "127.0.0.1";
const NO_LOAD: Load = { held: 0, inFlight: 0 };

/**
 * Runs the platform until `stop`: starts it, opens its control socket, applies the manifests, and prints a line per
 * change. @throws Failure for what the user can mend
 */
export async function up(deps: UpDeps, options: UpOptions): Promise<void> {
  const { output, clock, random, log, colors } = deps;
  const startedAt = clock.now();
  const print = (line: string): void => {
    const at = ((clock.now() - startedAt) / 1000).toFixed(3).padStart(8);
    output.out(`${colors.dim(at)}  ${line}`);
  };

  const path = socketPath(options.dataDir, options.cwd);
  const stateDir = resolve(options.cwd, options.dataDir);
  await mkdir(stateDir, { recursive: true }).catch((error: unknown) => {
    throw new Failure(`cannot use ${stateDir} as data directory: ${String(error)}`);
  });
  await withReadableErrors(options, () => assertSocketFree(path));
  const home = await withReadableErrors(options, () =>
    deps.startHome(
      {
        clock,
        random,
        log,
        onOutput: (pod, _stream, line) => output.out(`${colors.cyan(podName(pod))} | ${line}`),
      },
      {
        listen: LISTEN,
        port: options.port,
        ...(options.tlsPort === undefined ? {} : { tlsPort: options.tlsPort }),
        dataDir: stateDir,
        isEphemeral: options.isEphemeral,
      },
    ),
  );
  try {
    await using _face = await withReadableErrors(options, () =>
      HttpFace.start(
        {
          api: home.api,
          log,
          pages: {
            "/rouse/timeline": (query) => timelinePage(home, query),
            [EXPLAIN_PAGE]: (query) => explainPage(home, query),
          },
        },
        { socketPath: path },
      ),
    );
    for (const line of banner({
      version: options.version,
      gateway: home.gateway,
      authorityPath: join(options.dataDir, "gateway-ca.crt"),
      stateDir: options.isEphemeral ? undefined : options.dataDir,
      kubeconfig: home.api.kubeconfig,
    })) {
      output.out(line);
    }
    using _world = await World.start({
      client: home.client,
      clock,
      random,
      load: (revision) => home.snapshot(revision) ?? NO_LOAD,
      print,
    });
    await applyAll(home.client, options.objects, (object, did) => {
      print(`${objectName(object.kind, object.object.metadata.name)} ${did}`);
      if (object.kind === KnativeServiceKind) {
        for (const line of serviceLines(callable(object, home.gateway.port))) output.out(line);
      }
    });
    await stopped(deps.stop);
    output.out("stopping");
  } finally {
    await within(clock, CLOSE_MS_MAX, home.close());
  }
}

/** The address its route will get. It is printed before anything runs, so that it can be copied at once. */
function callable(object: ManifestObject, port: number): { name: string; url: string } {
  const { name, namespace = "default" } = object.object.metadata;
  return { name, url: `http://${name}.${namespace}.localhost${port === 80 ? "" : `:${port}`}` };
}

function podName(key: ObjectKey): string {
  return key.startsWith("default/") ? key.slice("default/".length) : key;
}

/**
 * When one pod reached each phase of its start, in monotonic milliseconds, and the origin that makes them milliseconds
 * since the epoch: fractions survive, which the wall clock would round away.
 */
function timelinePage(home: RunningHome, query: URLSearchParams): unknown {
  const [namespace = "", name = ""] = (query.get("pod") ?? "").split("/");
  return { originMs: monoOriginMs(), timeline: home.timeline(objectKey({ namespace, name })) };
}

function explainPage(home: RunningHome, query: URLSearchParams): ExplainAnswer {
  const [namespace = "", name = ""] = (query.get("revision") ?? "").split("/");
  const explanation = home.explain(revisionKey({ namespace, name }));
  return explanation === undefined ? {} : { explanation };
}

async function withReadableErrors<R>(options: UpOptions, run: () => Promise<R>): Promise<R> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof SocketInUseError) {
      throw new Failure(
        `a platform is running with ${options.dataDir} already; stop it, or choose another --data-dir`,
      );
    }
    switch (systemCode(error)) {
      case "EADDRINUSE":
        throw new Failure(
          `port ${options.port} is in use; choose another with --port, or --port 0 for a free one`,
        );
      case "EACCES":
        throw new Failure(`no right to listen on port ${options.port} or to write ${options.dataDir}`);
      default:
        throw error;
    }
  }
}

function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function within(clock: Clock, limitMs: number, work: Promise<void>): Promise<void> {
  const limit = Promise.withResolvers<void>();
  using _timer = clock.after(limitMs, limit.resolve);
  await Promise.race([work, limit.promise]);
}
