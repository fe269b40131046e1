import type { PodScraper } from "@rouse/autoscaler";
import { QueueProxy, type QueueProxyOptions } from "@rouse/queue-proxy";
import {
  type Clock,
  type EnvVar,
  type Logger,
  labels,
  type ObjectKey,
  objectKey,
  type Pod,
  type Probe,
  QUEUE_PROXY_CONTAINER,
  type Random,
  type Stat,
  type Stored,
} from "@rouse/shared";
import type { Sidecar, SidecarFactory, SidecarPlace } from "../kubelet/sidecar.ts";

/** Used where the pod template, made by the controller, does not say (C-54: it always does). */
const TIMEOUT_SECONDS_DEFAULT = 300;

/** What a queue-proxy is told by the environment of its container. Q §2. */
export interface SidecarSettings {
  readonly containerConcurrency: number;
  readonly timeoutMs: number;
  readonly responseStartTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Several with multi-container-probing, that of the serving container first. C-54 */
  readonly readinessProbe: Probe | readonly Probe[] | undefined;
}

/**
 * The queue-proxies of this home's pods, by pod: started for the kubelet, asked for their load by the autoscaler.
 * In a cluster each would be a container; the settings come from the same place, the container's environment.
 */
export class PodSidecars implements SidecarFactory, PodScraper {
  readonly #deps: { readonly clock: Clock; readonly random: Random; readonly log: Logger };
  readonly #running = new Map<ObjectKey, QueueProxy>();

  constructor(deps: { readonly clock: Clock; readonly random: Random; readonly log: Logger }) {
    this.#deps = deps;
  }

  async start(pod: Stored<Pod>, place: SidecarPlace): Promise<Sidecar> {
    const key = objectKey(pod.metadata);
    const { readinessProbe, ...settings } = sidecarSettings(pod);
    const proxy = await QueueProxy.start(this.#deps, {
      ip: place.ip,
      port: place.port,
      userPort: place.userPort,
      podName: pod.metadata.name,
      revision: {
        namespace: pod.metadata.namespace,
        name: pod.metadata.labels?.[labels.revision] ?? "",
      },
      ...settings,
      ...aimedAtProgram(readinessProbe, place.userPort),
    });
    this.#running.set(key, proxy);
    return {
      address: proxy.address,
      awaitReady: async (signal) => {
        const isReady = await proxy.awaitReady(signal);
        if (isReady) place.portOpened(); // the probe's success itself, before anybody acts on it
        return isReady;
      },
      checkReady: () => proxy.checkReady(),
      drain: () => proxy.drain(),
      get inFlight() {
        return proxy.inFlight;
      },
      close: async () => {
        if (this.#running.get(key) === proxy) this.#running.delete(key);
        await proxy.close();
      },
    };
  }

  scrape(pod: { readonly namespace: string; readonly name: string }): Promise<Stat | undefined> {
    return Promise.resolve(this.#running.get(objectKey(pod))?.takeStat());
  }
}

/** Reads what the controller wrote into the pod's queue-proxy container. */
export function sidecarSettings(pod: Pod): SidecarSettings {
  const env = pod.spec.containers.find(({ name }) => name === QUEUE_PROXY_CONTAINER)?.env ?? [];
  const probe = textOf(env, "SERVING_READINESS_PROBE");
  return {
    containerConcurrency: numberOf(env, "CONTAINER_CONCURRENCY", 0),
    timeoutMs: numberOf(env, "REVISION_TIMEOUT_SECONDS", TIMEOUT_SECONDS_DEFAULT) * 1_000,
    responseStartTimeoutMs: numberOf(env, "REVISION_RESPONSE_START_TIMEOUT_SECONDS", 0) * 1_000,
    idleTimeoutMs: numberOf(env, "REVISION_IDLE_TIMEOUT_SECONDS", 0) * 1_000,
    readinessProbe: probe === undefined || probe === "" ? undefined : JSON.parse(probe),
  };
}

/** Of several only the first is the program's that was given a port; the others name theirs. */
function aimedAtProgram(
  probe: SidecarSettings["readinessProbe"],
  userPort: number,
): Pick<QueueProxyOptions, "readinessProbe" | "readinessProbes"> {
  if (probe === undefined) return {};
  if (!isList(probe)) return { readinessProbe: aimedAt(probe, userPort) };
  const [first = {}, ...others] = probe;
  return { readinessProbes: [aimedAt(first, userPort), ...others] };
}

function isList(probe: Probe | readonly Probe[]): probe is readonly Probe[] {
  return Array.isArray(probe);
}

function textOf(env: readonly EnvVar[], name: string): string | undefined {
  return env.find((variable) => variable.name === name)?.value;
}

function numberOf(env: readonly EnvVar[], name: string, fallback: number): number {
  const value = Number(textOf(env, name) ?? fallback);
  return Number.isFinite(value) ? value : fallback;
}

/**
 * The controller aims the probe at the port of the manifest; here every pod shares one network, and its program was
 * given a port of its own. Design §9.
 */
function aimedAt(probe: Probe, userPort: number): Probe {
  return {
    ...probe,
    ...(probe.httpGet === undefined ? {} : { httpGet: { ...probe.httpGet, port: userPort } }),
    ...(probe.tcpSocket === undefined ? {} : { tcpSocket: { ...probe.tcpSocket, port: userPort } }),
    ...(probe.grpc === undefined ? {} : { grpc: { ...probe.grpc, port: userPort } }),
  };
}
