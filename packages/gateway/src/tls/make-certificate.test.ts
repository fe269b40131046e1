import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { parseRfc3339, RealClock, silentLogger, type WallMs } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { Certificates } from "./certificates.ts";
import { integer, objectId, time } from "./der.ts";
import { issueCertificate, makeAuthority } from "./make-certificate.ts";

const now = new RealClock().wall(); // a certificate is checked against the machine's own time

describe("DER", () => {
  test.each([
    { name: "small integer", der: integer(Buffer.from([5])), want: "020105" },
    { name: "an integer with its high bit set", der: integer(Buffer.from([0x80])), want: "02020080" },
    { name: "leading zeros", der: integer(Buffer.from([0, 0, 1])), want: "020101" },
    { name: "an object identifier", der: objectId("1.2.840.10045.4.3.2"), want: "06082a8648ce3d040302" },
    {
      name: "a time",
      der: time(at("2026-01-02T03:04:05Z")),
      want: `170d${ascii("260102030405Z")}`,
    },
    {
      name: "a time after 2049",
      der: time(at("2050-01-02T03:04:05Z")),
      want: `180f${ascii("20500102030405Z")}`,
    },
  ])("$name", ({ der, want }) => {
    expect(der.toString("hex")).toBe(want);
  });
});

describe("certificates", () => {
  test("an authority vouches for itself and for what it issues, for the names it says, for their time", () => {
    const authority = makeAuthority(now);
    const root = new X509Certificate(authority.cert);
    expect([root.ca, root.verify(root.publicKey), root.checkIssued(root)]).toEqual([true, true, true]);
    const long = `${"a".repeat(63)}.${"b".repeat(63)}.localhost`;
    const issued = issueCertificate(authority, { hosts: [long, "*.default.localhost", "127.0.0.1"], now });
    const leaf = new X509Certificate(issued.cert);
    expect([leaf.ca, leaf.verify(root.publicKey), leaf.checkIssued(root)]).toEqual([false, true, true]);
    expect(leaf.checkHost(long)).toBe(long);
    expect(leaf.checkHost("hello.default.localhost")).toBe("*.default.localhost");
    expect(leaf.checkHost("hello.other.localhost")).toBeUndefined();
    expect(leaf.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(leaf.serialNumber).not.toBe(root.serialNumber);
    expect(leaf.validFromDate.getTime()).toBeLessThanOrEqual(now);
    expect((leaf.validToDate.getTime() - now) / 86_400_000).toBeCloseTo(397, 0);
  });

  test("a TLS client that trusts the authority accepts them, by name, and no other name", async () => {
    const authority = makeAuthority(now);
    const clock = new VirtualClock();
    const known = new Set(["hello.default.localhost"]);
    const own = issueCertificate(makeAuthority(now), { hosts: ["given.localhost"], now });
    let given = new Map([["given.localhost", own]]);
    const certificates = new Certificates({
      clock: {
        ...clock,
        wall: () => now,
        now: () => clock.now(),
        after: clock.after.bind(clock),
        soon: clock.soon.bind(clock),
      },
      log: silentLogger,
      authority,
      isKnown: (host) => known.has(host),
      given: (host) => given.get(host),
    });
    const server = createServer({
      ...issueCertificate(authority, { hosts: ["127.0.0.1"], now }),
      SNICallback: (name, done) => done(null, certificates.contextOf(name)),
    });
    server.on("tlsClientError", () => {}); // the client tells
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const see = async (servername: string, ca = authority.cert): Promise<string> => {
      const socket: TLSSocket = connect({ host: "127.0.0.1", port, servername, ca });
      try {
        await once(socket, "secureConnect");
        return "accepted";
      } catch (error) {
        return error instanceof Error && "code" in error ? String(error.code) : String(error);
      } finally {
        socket.destroy();
      }
    };
    expect(await see("hello.default.localhost")).toBe("accepted");
    expect(await see("unknown.localhost")).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(await see("hello.default.localhost", makeAuthority(now).cert)).not.toBe("accepted");
    expect(await see("given.localhost", own.cert.slice(own.cert.lastIndexOf("-----BEGIN")))).toBe("accepted");
    expect(certificates.contextOf("hello.default.localhost")).toBe(
      certificates.contextOf("Hello.default.localhost"),
    );
    const before = certificates.contextOf("given.localhost");
    given = new Map([["given.localhost", issueCertificate(authority, { hosts: ["given.localhost"], now })]]);
    expect(certificates.contextOf("given.localhost")).not.toBe(before); // a Secret that changes is followed
    given = new Map([["given.localhost", { cert: "no", key: "no" }]]);
    expect(certificates.contextOf("given.localhost")).toBeUndefined();
  });
});

function ascii(text: string): string {
  return Buffer.from(text).toString("hex");
}

function at(text: string): WallMs {
  const wall = parseRfc3339(text);
  if (wall === undefined) throw new Error(text);
  return wall;
}
