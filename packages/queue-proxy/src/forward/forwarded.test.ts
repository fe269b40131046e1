import { RecordingExchange } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { SynthesiseForwarded } from "./forwarded.ts";

const layer = new SynthesiseForwarded<undefined>();

function forwardedOf(headers: Record<string, string | readonly string[]>): readonly string[] {
  const exchange = new RecordingExchange(undefined, { headers });
  layer.handle(exchange, () => {});
  return exchange.outgoing("Forwarded");
}

test.each([
  { for: "127.0.0.1, ::1", host: "h", proto: "p", want: 'for=127.0.0.1;host=h;proto=p, for="[::1]"' },
  { for: "127.0.0.1", host: "h", proto: "p", want: "for=127.0.0.1;host=h;proto=p" },
  { for: "127.0.0.1, ::1", host: "", proto: "", want: 'for=127.0.0.1, for="[::1]"' },
  { for: "127.0.0.1, ::1", host: "", proto: "p", want: 'for=127.0.0.1;proto=p, for="[::1]"' },
  { for: "127.0.0.1, ::1", host: "h", proto: "", want: 'for=127.0.0.1;host=h, for="[::1]"' },
  { for: "", host: "h", proto: "", want: "host=h" },
  { for: "", host: "", proto: "p", want: "proto=p" },
  { for: "", host: "h", proto: "p", want: "host=h;proto=p" },
  { for: ",,,", host: "", proto: "", want: "for=, for=, for=" },
  { for: "192.0.2.1:80", host: "", proto: "", want: 'for="[192.0.2.1:80]"' },
])("V-1, Q-25: $for | $host | $proto gives $want", ({ for: xff, host, proto, want }) => {
  const headers = { "X-Forwarded-For": xff, "X-Forwarded-Host": host, "X-Forwarded-Proto": proto };
  expect(forwardedOf(headers)).toEqual([want]);
});

test("V-1, Q-25: a Forwarded of the client's own stays as it is", () => {
  expect(forwardedOf({ Forwarded: "for=a, for=b", "X-Forwarded-Host": "h" })).toEqual(["for=a, for=b"]);
});

test("Q-25: of several lines the first counts, and X-Forwarded-By does not", () => {
  expect(forwardedOf({ "X-Forwarded-For": ["192.0.2.1", "192.0.2.2"] })).toEqual(["for=192.0.2.1"]);
  expect(forwardedOf({ "X-Forwarded-By": "192.0.2.1" })).toEqual([]);
});

test("V-1: nothing known, nothing said", () => {
  expect(forwardedOf({})).toEqual([]);
});
