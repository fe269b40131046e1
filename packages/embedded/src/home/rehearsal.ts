import { connect, createServer } from "node:net";
import { join } from "node:path";
import {
  type Clock,
  findCondition,
  Informer,
  type KnativeService,
  KnativeServiceKind,
  type KubeClient,
  type Random,
  silentLogger,
} from "@rouse/shared";
import { startComponents } from "../components.ts";
import { PortPool } from "../kubelet/port-pool.ts";
import type { ProcessObserver, ProcessRunner, RunningProcess } from "../kubelet/process-runner.ts";
import type { Program } from "../kubelet/program.ts";

/** What waits for a rehearsal waits no longer than this: it is a help, and nobody's business. */
const MS_MAX = 2_000;
const LOOPBACK = "127.0.0.1";
const NAMESPACE = "default";
/** Woken one after the other: after the first, half of what a second would take is still left. */
const SERVICES = ["first", "second"];
const ANSWER = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

/**
 * Lives through a cold start before there is anybody who waits for it: in a home of its own, in memory, on ports of
 * its own, with a program that is only pretended. The engine compiles a function when it is first called, which made
 * the first request after a start wait 10 ms longer for its process than any later one. Resolves to how many requests
 * were answered, at last after two seconds; never rejects.
 */
export async function rehearse(
  deps: { readonly clock: Clock; readonly random: Random },
  dataDir: string,
): Promise<number> {
  await using stage = new AsyncDisposableStack(); // cleared at the limit as well, whatever is still waited for
  const late = Promise.withResolvers<number>();
  using _limit = deps.clock.after(MS_MAX, () => late.resolve(0));
  return await Promise.race([perform(deps, stage, dataDir).catch(() => 0), late.promise]);
}

async function perform(
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  stage: AsyncDisposableStack,
  dataDir: string,
): Promise<number> {
  const machine = {
    ports: await onto(stage, PortPool.start({ random }, { size: SERVICES.length })),
    records: { add: () => {}, remove: () => {}, instance: "rehearsal" },
    inherited: new Map<string, string>(),
    runner: new PretendedPrograms(),
    hasPodAddresses: false,
  };
  const { apiServer, gateway } = await onto(
    stage,
    startComponents(
      { clock, random, log: silentLogger, machine },
      // Nothing is written there: no program says anything, and no object is kept.
      { listen: LOOPBACK, port: 0, dataDir: join(dataDir, "rehearsal"), isEphemeral: true },
    ),
  );
  let answered = 0;
  for (const name of SERVICES) {
    await deploy({ client: apiServer.client, clock, random }, name);
    if (await ask(gateway.address.port, `${name}.${NAMESPACE}.localhost`)) answered++;
  }
  return answered;
}

/** What has been started, owned by `stage`. @throws when that was cleared meanwhile; it is then ended at once */
async function onto<R extends AsyncDisposable>(
  stage: AsyncDisposableStack,
  starting: Promise<R>,
): Promise<R> {
  const started = await starting;
  if (!stage.disposed) return stage.use(started);
  await started[Symbol.asyncDispose]();
  throw new Error("too late");
}

/** Creates a service at zero. Resolves when it can be asked. */
async function deploy(
  deps: { readonly client: KubeClient; readonly clock: Clock; readonly random: Random },
  name: string,
): Promise<void> {
  const ready = Promise.withResolvers<void>();
  const changed = ({ metadata, status }: KnativeService): void => {
    if (metadata.name === name && findCondition(status?.conditions, "Ready")?.status === "True")
      ready.resolve();
  };
  using services = new Informer(deps, KnativeServiceKind).handle({ changed, removed: () => {} });
  await services.start();
  await deps.client.create(KnativeServiceKind, {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { namespace: NAMESPACE, name },
    spec: {
      template: {
        metadata: { annotations: { "autoscaling.knative.dev/initial-scale": "0" } },
        spec: { containers: [{ name: "user-container", command: ["pretended"] }] },
      },
    },
  });
  await ready.promise;
}

/** One request on a connection of its own. Resolves when that has ended, to whether the program answered. */
function ask(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port }, () => {
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    });
    let answer = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      answer += text;
    });
    socket.once("error", () => {}); // followed by `close`
    socket.once("close", () => resolve(answer.startsWith("HTTP/1.1 204")));
  });
}

/** In place of each process, a listener of this one that answers at the port the program was given. */
class PretendedPrograms implements ProcessRunner {
  run(program: Program, observer: ProcessObserver): RunningProcess {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end(ANSWER));
    });
    server.on("error", () => {}); // then it is never ready, and the rehearsal ends by its limit
    server.listen(Number(program.environment.PORT), LOOPBACK);
    observer.started(process.pid);
    return {
      signal: () => {
        server.close(() => observer.exited({ exitCode: 0 }));
      },
    };
  }
}
