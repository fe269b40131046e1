import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { type Clock, type Pod, QUEUE_PROXY_CONTAINER, type Stored } from "@rouse/shared";
import { SIDECAR_ALLOCATOR, SIDECAR_FLAGS } from "@rouse/shared/testing";
import { pause } from "../../../src/kubelet/pause.ts";
import type { Sidecar, SidecarFactory, SidecarPlace } from "../../../src/kubelet/sidecar.ts";

const ASK_MS = 10;
const RESTART_MS = 100;
const PROBE_MS_MAX = 1_000;

/** Queue-proxies as a node of a cluster runs them: the container of the pod, as a process that may be killed. */
export class ProcessSidecars implements SidecarFactory {
  readonly #clock: Clock;
  readonly #bundle: string;

  constructor(clock: Clock, bundle: string) {
    this.#clock = clock;
    this.#bundle = bundle;
  }

  async start(pod: Stored<Pod>, place: SidecarPlace): Promise<Sidecar> {
    const environment = environmentOf(pod, place);
    const state: { process: ChildProcess; isEnding: boolean } = {
      process: this.#spawn(environment),
      isEnding: false,
    };
    const follow = (process: ChildProcess): void => {
      process.once("exit", () => {
        if (state.isEnding) return;
        this.#clock.after(RESTART_MS, () => {
          if (state.isEnding) return;
          state.process = this.#spawn(environment);
          follow(state.process);
        });
      });
    };
    follow(state.process);
    const never = new AbortController().signal;
    const isReady = (): Promise<boolean> => asked(place);
    const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
      state.isEnding = true;
      if (state.process.exitCode !== null || state.process.signalCode !== null) return;
      const exited = once(state.process, "exit");
      state.process.kill(signal);
      await exited;
    };
    return {
      address: { ip: place.ip, port: place.port },
      awaitReady: async (signal) => {
        while (!signal.aborted && !(await isReady())) await pause(this.#clock, ASK_MS, signal);
        if (!signal.aborted) place.portOpened();
        return !signal.aborted;
      },
      checkReady: async () => {
        if (await isReady()) return true;
        await pause(this.#clock, RESTART_MS * 2, never);
        return isReady();
      },
      drain: () => end("SIGTERM"),
      inFlight: 0,
      close: () => end("SIGKILL"),
    };
  }

  #spawn(environment: Readonly<Record<string, string>>): ChildProcess {
    return spawn(process.execPath, [...SIDECAR_FLAGS, this.#bundle], {
      env: { ...environment, ...SIDECAR_ALLOCATOR },
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
}

/** As the container's, but for what a machine that all pods share cannot give: the user's port is the process's own. */
function environmentOf(
  pod: Stored<Pod>,
  { ip, port, userPort }: SidecarPlace,
): Readonly<Record<string, string>> {
  const container = pod.spec.containers.find(({ name }) => name === QUEUE_PROXY_CONTAINER);
  const fields: Readonly<Record<string, string>> = {
    "metadata.name": pod.metadata.name,
    "status.podIP": ip,
    "status.hostIP": "127.0.0.1",
  };
  const own = (container?.env ?? []).map(({ name, value, valueFrom }): [string, string] => [
    name,
    value ?? fields[valueFrom?.fieldRef?.fieldPath ?? ""] ?? "",
  ]);
  const environment = Object.fromEntries(own);
  return {
    ...environment,
    ROUSE_LISTEN_IP: ip,
    QUEUE_SERVING_PORT: String(port),
    USER_PORT: String(userPort),
    SERVING_READINESS_PROBE: (environment.SERVING_READINESS_PROBE ?? "").replace(
      /"port":\d+/,
      `"port":${userPort}`,
    ),
  };
}

/** As the kubelet asks it. */
function asked({ ip, port }: SidecarPlace): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      {
        host: ip,
        port,
        path: "/",
        headers: { "User-Agent": "kube-probe/1.35", "K-Network-Probe": "queue" },
        agent: false,
        timeout: PROBE_MS_MAX,
      },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}
