import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAdminCallers } from "./admin-callers.ts";
import { ConfigError } from "./config-error.ts";

const own = ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.7"];

test.each([
  { text: "", ip: "203.0.113.9", may: true },
  { text: " , ", ip: "203.0.113.9", may: true },
  { text: "node", ip: "192.168.1.7", may: true },
  { text: "node", ip: "10.0.0.1", may: true },
  { text: "node", ip: "10.0.0.2", may: false },
  { text: "node, 10.244.0.0/16", ip: "10.244.3.1", may: true },
  { text: "10.244.0.1", ip: "10.244.0.2", may: false },
  { text: "fd00::/8", ip: "fd00::5", may: true },
  { text: "fd00::/8", ip: "10.0.0.1", may: false },
])("E-12: where '$text' may ask for a drain, $ip may: $may", ({ text, ip, may }) => {
  expect(parseAdminCallers(text, own)(ip)).toBe(may);
});

test.each(["nodes", "10.0.0.0/33", "fd00::/129", "10.0.0.1/", "/8", "10.0.0.256"])(
  "E-12: '%s' names nobody, and is fatal",
  (text) => {
    expect(() => parseAdminCallers(text, own)).toThrow(ConfigError);
  },
);

test("E-12: fuzz: any text is a list of callers or a complaint", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  const item = fc.oneof(
    fc.string(),
    address,
    fc.tuple(address, fc.nat(200)).map(([ip, bits]) => `${ip}/${bits}`),
  );
  fc.assert(
    fc.property(fc.array(item), address, (items, ip) => {
      try {
        expect(parseAdminCallers(items.join(","), own)(ip)).toBeTypeOf("boolean");
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
      }
    }),
  );
});
