import { once } from "node:events";
import { createServer } from "node:net";
import { type Pod, type Probe, RealClock, RealRandom, type Stored, silentLogger } from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { PodSidecars } from "./pod-sidecars.ts";

async function openPort(): Promise<number> {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? bound.port : 0;
}

function podWith(probe: Probe | readonly Probe[]): Stored<Pod> {
  const env = [{ name: "SERVING_READINESS_PROBE", value: JSON.stringify(probe) }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "p",
      namespace: "ns",
      uid: "u",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "",
    },
    spec: { containers: [{ name: "queue-proxy", env }] },
  };
}

/** Whether a pod with these probes is ready, and whether it said that its port was open. */
async function ask(probe: Probe | readonly Probe[], userPort: number) {
  const sidecars = new PodSidecars({ clock: new RealClock(), random: new RealRandom(), log: silentLogger });
  let opened = 0;
  const portOpened = (): void => {
    opened++;
  };
  const sidecar = await sidecars.start(podWith(probe), { ip: "127.0.0.1", port: 0, userPort, portOpened });
  onTestFinished(() => sidecar.close());
  return { sidecar, opened: () => opened };
}

test("the program's probe is aimed at the port it was given, and its success says that the port is open", async () => {
  const { sidecar, opened } = await ask({ tcpSocket: { port: 8080 } }, await openPort());
  expect(await sidecar.awaitReady(new AbortController().signal)).toBe(true);
  expect(opened()).toBe(1);
});

test("C-54: of several probes all have to succeed, those of the others at the ports they name", async () => {
  const userPort = await openPort();
  const beside = await openPort();
  const periodSeconds = 1; // asked once per question
  const first = { tcpSocket: { port: 8080 }, periodSeconds };
  const both = await ask([first, { tcpSocket: { port: beside }, periodSeconds }], userPort);
  expect(await both.sidecar.checkReady()).toBe(true);
  const closed = await ask([first, { tcpSocket: { port: 1 }, periodSeconds }], userPort);
  expect(await closed.sidecar.checkReady()).toBe(false);
});
