import { type Endpoint, endpoint, endpointAddress, SeededRandom, silentLogger } from "@rouse/shared";
import { RecordingExchange, VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { GatewayContext } from "../accept/context.ts";
import { Backend } from "../balance/backend.ts";
import { EndpointPools } from "../balance/endpoint-pools.ts";
import { ForwardToBackend } from "./forward-to-backend.ts";

const pod = (index: number): Endpoint => endpoint({ ip: `10.0.0.${index}`, port: 8012 });

function setUp() {
  const clock = new VirtualClock();
  const pools = new EndpointPools((at) => ({ ...endpointAddress(at), close: () => {} }));
  const backend = new Backend({ namespace: "default", name: "hello", port: 80 }, pools);
  const forward = new ForwardToBackend({ clock, random: new SeededRandom(2), pools, log: silentLogger });
  const enter = () => {
    const context = new GatewayContext();
    context.backend = backend;
    const exchange = new RecordingExchange(context, { receivedAt: clock.now() });
    forward.handle(exchange);
    return exchange;
  };
  const setEndpoints = (...indexes: number[]) => {
    backend.setEndpoints(new Set(indexes.map(pod)));
    forward.endpointsChanged(backend);
  };
  return { clock, pools, backend, enter, setEndpoints };
}

test("without an endpoint a request waits a second, then is told", () => {
  const { clock, backend, enter } = setUp();
  const first = enter();
  clock.advance(999);
  expect([first.answer, backend.held.size]).toEqual([undefined, 1]);
  clock.advance(1);
  expect(first.answer).toEqual({ status: 503, body: 'service "default/hello": it has no ready endpoint' });
  expect([backend.held.size, clock.pendingTimers]).toEqual([0, 0]);
});

test("an endpoint that comes within that second gets it, and no timer is left", () => {
  const { clock, enter, setEndpoints } = setUp();
  const first = enter();
  clock.advance(500);
  setEndpoints(1);
  expect(first.forwards.map(({ upstream }) => upstream.ip)).toEqual(["10.0.0.1"]);
  expect(clock.pendingTimers).toBe(0);
});

test("a client that leaves while it waits is forgotten", () => {
  const { backend, enter, setEndpoints } = setUp();
  const first = enter();
  first.clientLeaves();
  expect(backend.held.size).toBe(0);
  setEndpoints(1);
  expect(first.forwards).toEqual([]);
});

test("each endpoint is tried once; then the request waits for others", () => {
  const { clock, enter, setEndpoints } = setUp();
  setEndpoints(1, 2);
  const first = enter();
  first.upstreamFails({ isRetriable: true });
  first.upstreamFails({ isRetriable: true });
  expect(new Set(first.forwards.map(({ upstream }) => upstream.ip))).toEqual(
    new Set(["10.0.0.1", "10.0.0.2"]),
  );
  clock.advance(100);
  setEndpoints(3);
  first.upstreamCompletes();
  expect([first.forwards.at(-1)?.upstream.ip, first.outcome?.kind]).toEqual(["10.0.0.3", "completed"]);
});

test("with more endpoints than attempts, each is tried before a request is given up", () => {
  const { enter, setEndpoints } = setUp();
  const all = Array.from({ length: 23 }, (_, index) => index + 1);
  setEndpoints(...all);
  const first = enter();
  for (let gone = 0; gone < 22; gone++) first.upstreamFails({ isRetriable: true });
  first.upstreamCompletes();
  expect([new Set(first.forwards.map(({ upstream }) => upstream.ip)).size, first.outcome?.kind]).toEqual([
    23,
    "completed",
  ]);
});

test("what may have been read is not sent again", () => {
  const { pools, enter, setEndpoints } = setUp();
  setEndpoints(1, 2);
  const first = enter();
  first.upstreamFails({ isRetriable: false });
  expect([first.forwards.length, first.answer?.status]).toEqual([1, 502]);
  setEndpoints();
  expect(pools.size).toBe(0);
});
