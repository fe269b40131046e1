import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Platform } from "./platform.ts";

const ZERO_MS_MAX = 120_000;
const LOOK_MS = 100;

export interface PodSummary {
  readonly name: string;
  /** Where its program listens. */
  readonly userPort: number | undefined;
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  }[];
}

/** The pods of one service, as the API has them. */
export async function podsOf(platform: Platform, service: string): Promise<readonly PodSummary[]> {
  const selector = encodeURIComponent(`serving.knative.dev/service=${service}`);
  const list = (await platform.api(`/api/v1/namespaces/default/pods?labelSelector=${selector}`)) as PodList;
  return list.items.map(({ metadata }) => {
    const port = metadata.annotations?.["rouse.dev/user-port"];
    return { name: metadata.name, userPort: port === undefined ? undefined : Number(port) };
  });
}

/**
 * Waits until nothing of a service is left, by three witnesses: the API has no pod of it, no process on the machine
 * carries its name in its environment, and the ports its pods had refuse connections. Rejects after two minutes.
 */
export async function awaitZero(
  platform: Platform,
  service: string,
  ports: readonly number[],
): Promise<void> {
  const deadline = performance.now() + ZERO_MS_MAX;
  let why = "";
  while (performance.now() < deadline) {
    why = await leftOver(platform, service, ports);
    if (why === "") return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(`${service} is not at zero: ${why}`);
}

async function leftOver(platform: Platform, service: string, ports: readonly number[]): Promise<string> {
  const pods = await podsOf(platform, service);
  if (pods.length > 0) return `${pods.length} pods`;
  const processes = processesOf(service);
  if (processes.length > 0) return `process ${processes.join(", ")}`;
  for (const port of ports) if (await isOpen(port)) return `port ${port} accepts`;
  return "";
}

function processesOf(service: string): readonly string[] {
  return readdirSync("/proc").filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return `\0${readFileSync(`/proc/${entry}/environ`, "latin1")}`.includes(`\0K_SERVICE=${service}\0`);
    } catch {
      return false; // somebody else's, or gone
    }
  });
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
