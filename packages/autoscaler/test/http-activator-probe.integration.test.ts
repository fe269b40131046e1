import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server } from "node:net";
import { RealClock } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { HttpActivatorProbe } from "../src/index.ts";

const target = { namespace: "default", serviceName: "hello-00001", port: 80 };

async function listening(server: Server): Promise<{ readonly port: number } & AsyncDisposable> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const answering = (status: number, body: string) => (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(status).end(body);
};
const probing = (port: number) =>
  new HttpActivatorProbe({ clock: new RealClock(), resolve: () => ({ ip: "127.0.0.1", port }) });

test.each([
  { status: 200, body: "activator", want: true },
  { status: 400, body: "activator", want: false },
  { status: 200, body: "haxoorprober", want: false },
  { status: 200, body: "activator ", want: false },
  { status: 200, body: "activator".repeat(1_000), want: false },
  { status: 302, body: "", want: false },
])(
  "$status with a body of $body.length bytes: confirmed is $want (W-22, K-71)",
  async ({ status, body, want }) => {
    await using server = await listening(createServer(answering(status, body)));
    expect(await probing(server.port).isInPath(target)).toBe(want);
  },
);

test("asks as the contract says, on a connection of its own each time (K-70, K-73)", async () => {
  const seen: { readonly request: IncomingMessage; readonly from: number | undefined }[] = [];
  await using server = await listening(
    createServer((request, response) => {
      seen.push({ request, from: request.socket.remotePort });
      answering(200, "activator")(request, response);
    }),
  );
  const probe = probing(server.port);
  await probe.isInPath(target);
  await probe.isInPath(target);
  expect(seen[0]?.request).toMatchObject({ method: "GET", url: "/healthz", httpVersion: "1.1" });
  expect(seen[0]?.request.headers).toMatchObject({
    "k-network-probe": "activator",
    "user-agent": "Knative-Autoscaling-Probe",
    host: "hello-00001.default",
    connection: "close",
  });
  expect(seen[0]?.from).not.toBe(seen[1]?.from);
});

test("nobody there, nowhere to go, no name, a cut connection: not confirmed (W-22, K-69)", async () => {
  const cutting = createTcpServer((socket) => socket.destroy());
  await using server = await listening(cutting);
  expect(await probing(server.port).isInPath(target)).toBe(false);
  const closed = await listening(createTcpServer());
  await closed[Symbol.asyncDispose]();
  expect(await probing(closed.port).isInPath(target)).toBe(false);
  const lost = new HttpActivatorProbe({ clock: new RealClock(), resolve: () => undefined });
  expect(await lost.isInPath(target)).toBe(false);
  expect(await probing(server.port).isInPath({ ...target, serviceName: "" })).toBe(false);
});

test("an answer that does not come is not waited for (K-74)", async () => {
  const clock = new VirtualClock();
  let accepted: () => void = () => {};
  const isAccepted = new Promise<void>((resolve) => (accepted = resolve));
  await using server = await listening(createTcpServer(() => accepted()));
  const probe = new HttpActivatorProbe({ clock, resolve: () => ({ ip: "127.0.0.1", port: server.port }) });
  const answer = probe.isInPath(target);
  await isAccepted;
  clock.advance(3_000);
  expect(await answer).toBe(false);
  expect(clock.pendingTimers).toBe(0);
});
